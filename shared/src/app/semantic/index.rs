//! Indexes an entry, so that near questions find it, and compares its answer with the one that they
//! would have been given. Doing either again changes nothing.

use std::sync::Arc;

use super::embed;
use super::payload::{Payload, said};
use crate::app::lookup::ttl;
use crate::config::Cache;
use crate::domain::cache::{CacheKey, Labels};
use crate::domain::guard::asked;
use crate::domain::verdict::AnswerMark;
use crate::ports::{
    AnswerCache, CachedAnswer, Clock, Embedder, IndexJob, MeasurePrecision, StoreError, VectorRecord,
    WriteVectors,
};

/// What indexing needs.
pub struct Indexer {
    pub cache: Cache,
    /// Of answers, and of questions that no provider embeds.
    pub embedder: Arc<dyn Embedder>,
    pub vectors: Arc<dyn WriteVectors>,
    pub answers: Arc<dyn AnswerCache>,
    pub precision: Arc<dyn MeasurePrecision>,
    pub clock: Arc<dyn Clock>,
}

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indexed {
    /// False when the entry is gone, over, or no near question may find it.
    pub indexed: bool,
    /// Whether the candidate said the same; none where there was nothing to compare.
    pub agreed: Option<bool>,
}

/// Does one job.
///
/// # Errors
/// [`StoreError`] when a store or the embedder failed; doing the job again finishes it.
pub async fn index(indexer: &Indexer, job: &IndexJob) -> Result<Indexed, StoreError> {
    let nothing = Indexed { indexed: false, agreed: None };
    let Some(entry) = indexer.answers.get(&job.key).await? else { return Ok(nothing) };
    let expires = entry.created_at + ttl(&indexer.cache);
    let (Some(question), Some(labels)) = (&entry.question, &entry.labels) else { return Ok(nothing) };
    if expires <= indexer.clock.now() {
        return Ok(nothing);
    }
    let answer = said(&entry.answer);
    let (vector, answered) = match (&indexer.cache.embedder, &entry.vector) {
        (None, _) => {
            let [vector, answered] = embedded(indexer, [&asked(question), answer]).await?;
            (vector, answered)
        }
        (Some(_), Some(vector)) => {
            let [answered] = embedded(indexer, [answer]).await?;
            (vector.components().to_vec(), answered)
        }
        (Some(_), None) => return Ok(nothing),
    };
    let mark = AnswerMark::of(answer, &answered);
    let payload = Payload::new(&job.key, question, labels, &entry, mark.clone());
    let record = VectorRecord {
        partition: labels.partition.as_str().to_owned(),
        id: job.key.as_str().to_owned(),
        vector,
        expires,
        payload: serde_json::to_string(&payload).map_err(|error| StoreError::Rejected(error.to_string()))?,
    };
    indexer.vectors.upsert(&[record]).await?;
    let agreed = match &job.candidate {
        Some(candidate) => compare(indexer, &job.key, labels, &mark, candidate).await?,
        None => None,
    };
    Ok(Indexed { indexed: true, agreed })
}

/// Whether the candidate's answer says what the fresh one does, counted once. None where the
/// candidate is gone.
async fn compare(
    indexer: &Indexer,
    fresh: &CacheKey,
    labels: &Labels,
    answer: &AnswerMark,
    candidate: &CacheKey,
) -> Result<Option<bool>, StoreError> {
    let Some(other) = indexer.answers.get(candidate).await?.filter(|other| is_of(other, labels)) else {
        return Ok(None);
    };
    let other = said(&other.answer);
    let [vector] = embedded(indexer, [other]).await?;
    let agreed = AnswerMark::of(other, &vector).agrees(answer);
    let (tenant, model) = (&labels.tenant, &labels.model);
    indexer.precision.compared(tenant, model, fresh, agreed, indexer.clock.now()).await?;
    Ok(Some(agreed))
}

fn is_of(entry: &CachedAnswer, labels: &Labels) -> bool {
    let same = |other: &Labels| other.tenant == labels.tenant && other.partition == labels.partition;
    entry.labels.as_ref().is_some_and(same)
}

async fn embedded<const N: usize>(indexer: &Indexer, texts: [&str; N]) -> Result<[Vec<f32>; N], StoreError> {
    let vectors = embed(indexer.embedder.as_ref(), &texts).await.map_err(StoreError::Rejected)?;
    vectors.try_into().map_err(|_| StoreError::Rejected("the embedder left a text out".to_owned()))
}
