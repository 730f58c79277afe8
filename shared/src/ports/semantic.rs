//! What the semantic tier of the cache needs of the outside.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::domain::cache::{CacheKey, CachePartition, Labels, Mark, Marks, QuestionVector, Served};
use crate::domain::time::Timestamp;
use crate::domain::verdict::Finding;

/// What `chat` asks of the `cache` function. It is serialised as the payload of an invocation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    pub tenant: String,
    pub partition: CachePartition,
    /// The model that is asked, `provider/model`, whose rules hold.
    pub model: String,
    pub text: String,
    /// Where a provider embeds: the vector that whoever asks paid for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector: Option<QuestionVector>,
}

impl Question {
    /// Whether the answer of an entry with these labels may be given to it: they lie where it searches.
    pub fn is_answered_by(&self, labels: &Labels) -> bool {
        labels.tenant == self.tenant && labels.partition == self.partition && labels.model == self.model
    }
}

/// Why a lookup came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupError {
    /// It did not answer in time.
    Timeout,
    /// It failed, was throttled, or is not there.
    Failed(String),
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LookupError::Timeout => f.write_str("the lookup did not answer in time"),
            LookupError::Failed(why) => write!(f, "the lookup failed: {why}"),
        }
    }
}

/// The semantic tier, as `chat` sees it.
#[async_trait]
pub trait SemanticLookup: Send + Sync {
    /// The caller bounds the time and drops the future when it is over.
    async fn look_up(&self, question: &Question) -> Result<Finding, LookupError>;
}

/// Turns texts into vectors.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// Which model this is and in which version; part of every partition.
    fn id(&self) -> &str;
    /// Components of a vector.
    fn dimensions(&self) -> usize;
    /// A vector of length one for each text, in their order. A text beyond what the model reads is
    /// cut.
    async fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String>;
}

/// A vector as it is stored, with whatever its finder needs to know.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorRecord {
    pub partition: String,
    /// Unique within its partition.
    pub id: String,
    /// Of length one.
    pub vector: Vec<f32>,
    /// The store may drop it some time after; finders compare for themselves.
    pub expires: Timestamp,
    /// JSON whose form is the use case's own, up to 100 KB.
    pub payload: String,
}

/// A stored vector near the one that was searched for.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbour {
    pub id: String,
    /// Cosine, -1 to 1.
    pub similarity: f32,
    pub expires: Timestamp,
    pub payload: String,
}

/// Finds vectors.
#[async_trait]
pub trait SearchVectors: Send + Sync {
    /// Up to `most` of the nearest in one partition, nearest first, by cosine. What was written a
    /// moment ago may be missing, what has expired may still be there.
    async fn nearest(
        &self,
        partition: &str,
        vector: &[f32],
        most: usize,
    ) -> Result<Vec<Neighbour>, StoreError>;
}

/// Writes vectors.
#[async_trait]
pub trait WriteVectors: Send + Sync {
    /// Puts the records in place of those with the same partition and id.
    async fn upsert(&self, records: &[VectorRecord]) -> Result<(), StoreError>;
    /// Removing what is not there is success.
    async fn remove(&self, partition: &str, ids: &[&str]) -> Result<(), StoreError>;
    /// Removes what expired before `now`, where the store does not do so by itself.
    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError>;
}

/// Makes what the other two need.
#[async_trait]
pub trait SetUpVectors: Send + Sync {
    /// Creates the index for vectors of so many components, unless it is there. True where it was
    /// created now.
    async fn set_up(&self, dimensions: usize) -> Result<bool, StoreError>;
}

/// Invalidations, and what models last called themselves.
#[async_trait]
pub trait CacheMarks: Send + Sync {
    /// All that stands. A strongly consistent read.
    async fn read_marks(&self) -> Result<Marks, StoreError>;
    /// Notes a mark; of two with the same tenant and selector the later stands. The store may drop
    /// it some time after `expires`.
    async fn mark(&self, mark: &Mark, expires: Timestamp) -> Result<(), StoreError>;
    /// Notes what a model calls itself, unless a later answer was noted.
    async fn note_served(&self, served: &Served) -> Result<(), StoreError>;
}

/// A job of the `indexer` function: keys, and no text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IndexJob {
    /// The entry to index.
    pub key: CacheKey,
    /// A hit that was not served, or served as a sample: whether its answer is the entry's is to be
    /// found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<CacheKey>,
}

/// Takes jobs of the indexer.
#[async_trait]
pub trait IndexQueue: Send + Sync {
    async fn send(&self, job: &IndexJob) -> Result<(), StoreError>;
}

/// What the answers of near matches were found to be worth, for one tenant and route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Precision {
    /// Candidates whose answer was compared with a fresh one.
    pub compared: u64,
    /// Those that said the same.
    pub agreed: u64,
}

/// Keeps the measured precision.
#[async_trait]
pub trait MeasurePrecision: Send + Sync {
    /// Counts one comparison, unless the one of `fresh` was counted before.
    async fn compared(
        &self,
        tenant: &str,
        model: &str,
        fresh: &CacheKey,
        agreed: bool,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// The counts of a tenant's routes since the day of `since`, by model.
    async fn precision(&self, tenant: &str, since: Timestamp)
    -> Result<Vec<(String, Precision)>, StoreError>;
}
