//! The exact tier: which requests it may answer, where their answers lie, and which may still be
//! given.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::App;
use super::arrival::Told;
use super::bypass::bypass;
use super::warm_marks::WarmMarks;
use crate::config::{Cache, CacheScope, ModelName};
use crate::domain::cache::{
    CacheKey, CachePartition, EMBEDDER, Kept, Labels, Marks, Shape, ShapeDigest, SharedBy,
};
use crate::domain::key::KeyRecord;
use crate::domain::time::Timestamp;
use crate::ports::{AnswerCache, CachedAnswer, Question, StoreError};
use crate::protocol::answer::Answer;
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

    /// By what near questions are searched; none where only the exact tier may answer.
    pub(super) fn near_question(&self, tenant: &str) -> Option<Question> {
        let text = self.question.clone()?;
        let partition = self.partition(tenant);
        let tenant = tenant.to_owned();
        Some(Question { tenant, partition, model: self.model.clone(), text, vector: None })
    }

    /// What is kept there.
    pub(super) fn entry(
        &self,
        tenant: &str,
        answer: Answer,
        served_by: &ModelName,
        created_at: Timestamp,
    ) -> CachedAnswer {
        let labels = Labels {
            tenant: tenant.to_owned(),
            partition: self.partition(tenant),
            model: self.model.clone(),
            prompt: self.told.prompt.clone(),
            tags: self.told.tags.clone(),
        };
        CachedAnswer {
            answer,
            served_by: served_by.to_string(),
            created_at,
            question: self.question.clone(),
            vector: None,
            labels: Some(labels),
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

/// How a request under the key `record` stands.
pub(super) fn standing(cache: &Cache, record: &KeyRecord, asked: &Asked<'_>) -> Standing {
    // Only a tenant that is not known leaves it open.
    early_standing(cache, &record.id, Some(&record.tenant), asked).unwrap_or(Standing::Bypass("no_user"))
}

/// How a request under the key `key_id` stands; none where that depends on the tenant, which may not be
/// known yet.
pub(super) fn early_standing(
    cache: &Cache,
    key_id: &str,
    tenant: Option<&str>,
    asked: &Asked<'_>,
) -> Option<Standing> {
    if let Some(reason) = bypass(cache, asked) {
        return Some(Standing::Bypass(reason));
    }
    let shared_by = match cache.scope {
        CacheScope::Key => SharedBy::Key { key_id },
        CacheScope::Tenant => SharedBy::Tenant { tenant: tenant? },
        CacheScope::User => match asked.request.user.as_deref() {
            Some(user) => SharedBy::User { key_id, user },
            None => return Some(Standing::Bypass("no_user")),
        },
    };
    Some(Standing::Kept(Box::new(place(cache, shared_by, asked))))
}

fn place(cache: &Cache, shared_by: SharedBy<'_>, asked: &Asked<'_>) -> Place {
    let parts = parts(asked.request);
    let embedder = cache.embedder.as_ref().map_or(Cow::Borrowed(EMBEDDER), |of| Cow::Owned(of.id()));
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
        embedder: &embedder,
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
#[derive(Debug)]
pub(super) struct Found {
    entry: Option<CachedAnswer>,
    marks: Arc<Marks>,
}

/// Reads the entry under `key`, and the marks.
pub(super) async fn read(
    answers: &dyn AnswerCache,
    marks: &WarmMarks,
    key: &CacheKey,
) -> Result<Found, StoreError> {
    let (entry, marks) = tokio::join!(answers.get(key), marks.read());
    Ok(Found { entry: entry?, marks: marks? })
}

/// Reads what lies at `place`; any error is a miss.
pub(super) async fn find(app: &App, place: Option<&Place>) -> Option<Found> {
    let found = read(app.answers.as_ref(), &app.marks, &place?.key).await;
    found.map_err(|error| tracing::warn!(%error, "exact cache lookup failed; answering as a miss")).ok()
}

impl Found {
    /// The entry, if it may be given to a caller of this tenant.
    pub(super) fn for_tenant(self, cache: &Cache, tenant: &str, now: Timestamp) -> Option<CachedAnswer> {
        self.current(cache, now, |labels| labels.tenant == tenant)
    }

    /// The entry, if it may be given to a near question.
    pub(super) fn for_question(
        self,
        cache: &Cache,
        question: &Question,
        now: Timestamp,
    ) -> Option<CachedAnswer> {
        self.current(cache, now, |labels| question.is_answered_by(labels))
    }

    /// The entry, unless its time is over, somebody invalidated it, or its model is not what it was.
    fn current(
        self,
        cache: &Cache,
        now: Timestamp,
        is_theirs: impl Fn(&Labels) -> bool,
    ) -> Option<CachedAnswer> {
        self.entry.filter(|entry| {
            entry.labels.as_ref().is_some_and(|labels| {
                let kept = Kept {
                    labels,
                    created: entry.created_at,
                    model: entry.answer.model.as_deref(),
                    fingerprint: entry.answer.fingerprint.as_deref(),
                };
                is_theirs(labels) && self.marks.let_stand(&kept, ttl(cache), now)
            })
        })
    }
}

/// How long an answer may be given again, from when its request came in.
pub(super) fn ttl(cache: &Cache) -> Duration {
    Duration::from_secs(u64::from(cache.ttl_hours) * 3600)
}
