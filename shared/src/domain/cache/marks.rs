//! What makes kept answers stale before their time.
//!
//! Invalidation is a record, not a deletion: one small write, whatever it selects, and an entry
//! that is still on its way into the store is stale as well.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{CachePartition, Labels, SEEDED};
use crate::domain::time::Timestamp;

/// Which entries of a tenant a mark makes stale.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "by", content = "value", rename_all = "snake_case")]
pub enum Selector {
    Tenant,
    Partition(CachePartition),
    Model(String),
    /// Every version of a prompt.
    Prompt(String),
    PromptVersion {
        id: String,
        version: String,
    },
    Tag(String),
}

/// Entries of `tenant` that `selector` picks and that answer requests of `at` or before are stale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub tenant: String,
    pub selector: Selector,
    pub at: Timestamp,
}

/// What a model last called itself, by its answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// The `provider/model` that was asked.
    pub target: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// When the request that it answered came in.
    pub at: Timestamp,
}

/// What is known of a kept answer.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    pub labels: &'a Labels,
    /// When the request came in that it answers.
    pub created: Timestamp,
    /// The model's own name for itself.
    pub model: Option<&'a str>,
    pub fingerprint: Option<&'a str>,
}

/// All that stands, of all tenants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    pub marks: Vec<Mark>,
    pub served: Vec<Served>,
}

impl Selector {
    fn picks(&self, labels: &Labels) -> bool {
        let prompt = labels.prompt.as_ref();
        match self {
            Selector::Tenant => true,
            Selector::Partition(partition) => labels.partition == *partition,
            Selector::Model(model) => labels.model == *model,
            Selector::Prompt(id) => prompt.is_some_and(|prompt| prompt.id == *id),
            Selector::PromptVersion { id, version } => {
                prompt.is_some_and(|prompt| prompt.id == *id && prompt.version == *version)
            }
            Selector::Tag(tag) => labels.tags.contains(tag),
        }
    }
}

impl Marks {
    /// Whether an answer may still be given: it is not older than `ttl`, no mark selects it, and its
    /// model is still what it was.
    pub fn let_stand(&self, kept: &Kept<'_>, ttl: Duration, now: Timestamp) -> bool {
        now < kept.created + ttl && !self.invalidate(kept.labels, kept.created) && !self.changed(kept)
    }

    /// Whether a mark makes an entry with these labels stale that answers a request of `created`.
    fn invalidate(&self, labels: &Labels, created: Timestamp) -> bool {
        self.marks
            .iter()
            .any(|mark| mark.tenant == labels.tenant && created <= mark.at && mark.selector.picks(labels))
    }

    /// Whether its target has called itself something else since. What the operator wrote outlives
    /// the model.
    fn changed(&self, kept: &Kept<'_>) -> bool {
        kept.model != Some(SEEDED)
            && self
                .served(&kept.labels.model)
                .is_some_and(|served| !served.is_by(kept.model, kept.fingerprint))
    }

    /// What `target`, a `provider/model`, last called itself.
    pub fn served(&self, target: &str) -> Option<&Served> {
        self.served.iter().find(|served| served.target == target)
    }
}

impl Served {
    pub fn is_by(&self, model: Option<&str>, fingerprint: Option<&str>) -> bool {
        self.model.as_deref() == model && self.fingerprint.as_deref() == fingerprint
    }
}
