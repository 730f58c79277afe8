//! The exact tier: which requests it may answer, where their answers lie, and which may still be
//! given.

use std::sync::Arc;
use std::time::Duration;

use super::App;
use super::arrival::Told;
use super::bypass::bypass;
use crate::config::{Cache, CacheScope, ModelName};
use crate::domain::cache::{
    CacheKey, CachePartition, EMBEDDER, Kept, Labels, Marks, Shape, ShapeDigest, SharedBy,
};
use crate::domain::key::KeyRecord;
use crate::domain::time::Timestamp;
use crate::ports::CachedAnswer;
use crate::protocol::canonical::ChatRequest;
use crate::protocol::shape::parts;

/// The version of the entry's form and of the rules; a change starts the cache anew.
const POLICY_VERSION: u32 = 4;
/// The longest question that near ones are searched for, in bytes. Embedders cut what is longer
/// than some 250 tokens, and what is cut off could differ unseen.
const QUESTION_BYTES_MAX: usize = 600;

/// A request, and what the cache must know beside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub model: &'a ModelName,
    pub request: &'a ChatRequest,
    pub told: &'a Told,
    pub no_cache: bool,
}

/// Who shares an answer: the owner part of the key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner<'a> {
    pub key_id: &'a str,
    /// Unknown until the key was looked up.
    pub record: Option<&'a KeyRecord>,
    pub user: Option<&'a str>,
}

/// How a request stands to the cache.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    /// Its answer is neither looked for nor kept, for this reason.
    Bypass(&'static str),
    Kept(Box<Place>),
}

/// Where the answer to a request lies.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub key: CacheKey,
    /// What near questions are searched for; none where only the exact tier may answer.
    pub question: Option<String>,
    shape: ShapeDigest,
    pub model: String,
    told: Told,
}

impl Place {
    pub(super) fn partition(&self, tenant: &str) -> CachePartition {
        self.shape.partition(tenant)
    }

    pub(super) fn labels(&self, tenant: &str) -> Labels {
        Labels {
            tenant: tenant.to_owned(),
            partition: self.partition(tenant),
            model: self.model.clone(),
            prompt: self.told.prompt.clone(),
            tags: self.told.tags.clone(),
        }
    }
}

impl Standing {
    pub(super) fn place(&self) -> Option<&Place> {
        match self {
            Standing::Bypass(_) => None,
            Standing::Kept(place) => Some(place),
        }
    }

    pub(super) fn into_place(self) -> Option<Place> {
        match self {
            Standing::Bypass(_) => None,
            Standing::Kept(place) => Some(*place),
        }
    }

    pub(super) fn bypass(&self) -> Option<&'static str> {
        match self {
            Standing::Bypass(reason) => Some(reason),
            Standing::Kept(_) => None,
        }
    }
}

/// Where the answer lies; none where that depends on the key's record, which is not known yet.
pub(super) fn standing(cache: &Cache, owner: &Owner<'_>, asked: &Asked<'_>) -> Option<Standing> {
    if let Some(reason) = bypass(cache, asked) {
        return Some(Standing::Bypass(reason));
    }
    let shared_by = match cache.scope {
        CacheScope::Key => SharedBy::Key { key_id: owner.key_id },
        CacheScope::Tenant => SharedBy::Tenant { tenant: &owner.record?.tenant },
        CacheScope::User => match owner.user {
            Some(user) => SharedBy::User { key_id: owner.key_id, user },
            None => return Some(Standing::Bypass("no_user")),
        },
    };
    Some(Standing::Kept(Box::new(place(cache, shared_by, asked))))
}

fn place(cache: &Cache, shared_by: SharedBy<'_>, asked: &Asked<'_>) -> Place {
    let parts = parts(asked.request);
    let shape = Shape {
        shared_by,
        model: asked.model.as_str(),
        system: &parts.system,
        prompt: asked.told.prompt.as_ref(),
        version_key: &cache.version_key,
        history: &parts.history,
        parameters: &parts.parameters,
        tools: &parts.tools,
        format: &parts.format,
        locale: asked.told.locale.as_deref(),
        attachments: &parts.attachments,
        policy: POLICY_VERSION,
        embedder: EMBEDDER,
    };
    let shape = shape.digest();
    Place {
        key: shape.key(&parts.text),
        question: parts.question.filter(|question| question.len() <= QUESTION_BYTES_MAX),
        shape,
        model: asked.model.to_string(),
        told: asked.told.clone(),
    }
}

/// An entry, and the marks of the same moment. It says something only once the caller is known.
#[derive(Debug, Default)]
pub(super) struct Found {
    entry: Option<CachedAnswer>,
    marks: Option<Arc<Marks>>,
}

/// Reads the entry at `place`, and the marks; any error is a miss.
pub(super) async fn find(app: &App, place: Option<&Place>) -> Found {
    let Some(place) = place else { return Found::default() };
    let (entry, marks) = tokio::join!(app.answers.get(&place.key), app.marks.read());
    let missed = |error| tracing::warn!(%error, "exact cache lookup failed; answering as a miss");
    Found { entry: entry.map_err(missed).ok().flatten(), marks: marks.map_err(missed).ok() }
}

impl Found {
    /// The entry, if it may be given to a caller of this tenant.
    pub(super) fn for_tenant(self, cache: &Cache, tenant: &str, now: Timestamp) -> Option<CachedAnswer> {
        let (entry, marks) = (self.entry?, self.marks?);
        let is_theirs = entry.labels.as_ref().is_some_and(|labels| labels.tenant == tenant);
        (is_theirs && is_current(&entry, &marks, cache, now)).then_some(entry)
    }
}

/// Whether an entry may still be given: its time is not over, nobody invalidated it, and its model
/// is still what it was.
pub(super) fn is_current(entry: &CachedAnswer, marks: &Marks, cache: &Cache, now: Timestamp) -> bool {
    entry.labels.as_ref().is_some_and(|labels| {
        let kept = Kept {
            labels,
            created: entry.created_at,
            model: entry.answer.model.as_deref(),
            fingerprint: entry.answer.fingerprint.as_deref(),
        };
        marks.let_stand(&kept, ttl(cache), now)
    })
}

/// How long an answer may be given again, from when its request came in.
pub(super) fn ttl(cache: &Cache) -> Duration {
    Duration::from_secs(u64::from(cache.ttl_hours) * 3600)
}
