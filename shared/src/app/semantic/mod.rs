//! The semantic tier behind `chat`: near questions searched, entries indexed, answers compared,
//! entries invalidated, and what is known of all that.

mod explain;
mod index;
mod invalidate;
mod payload;
mod probe;
mod seed;
mod stats;

use std::sync::Arc;

use super::lookup::ttl;
use super::warm_marks::WarmMarks;
use crate::config::{Cache, CacheProfile};
use crate::domain::cache::{EMBEDDER, Marks};
use crate::domain::guard::asked;
use crate::domain::time::Timestamp;
use crate::domain::verdict::{Candidate, Finding, Rules, judge};
use crate::ports::{Clock, Embedder, LookupError, Neighbour, Question, SearchVectors, StoreError};

pub use explain::{Explanation, explain};
pub use index::{Indexed, Indexer, index};
pub use invalidate::{Asker, Invalidated, Invalidator, MARKS_MAX, invalidate};
pub use probe::{Asking, Probed, Tier, Tiers, probe};
pub use seed::{ENTRIES_MAX, Seeded, Seeding, Unseeded, seed};
pub use stats::{CacheStats, Figures, Hits, Measured, ModelStats, Scope, Statistics, stats};

use payload::Payload;

/// What a search needs.
pub struct Lookup {
    pub cache: Cache,
    /// Of questions that no provider embedded.
    pub embedder: Arc<dyn Embedder>,
    pub vectors: Arc<dyn SearchVectors>,
    pub marks: Arc<WarmMarks>,
    pub clock: Arc<dyn Clock>,
}

impl Lookup {
    /// Components of the vectors that are searched.
    pub fn dimensions(&self) -> usize {
        let of_provider = self.cache.embedder.as_ref().map(|embedder| embedder.dimensions as usize);
        of_provider.unwrap_or_else(|| self.embedder.dimensions())
    }
}

/// The verdict on a question: whether the answer to a near one may be given to it.
///
/// # Errors
/// [`LookupError::Failed`] when the text cannot be embedded, or vectors or marks cannot be read.
pub async fn look_up(lookup: &Lookup, question: &Question) -> Result<Finding, LookupError> {
    let rules = rules(&lookup.cache, &question.model);
    let (neighbours, marks) = tokio::join!(nearest(lookup, question, rules.neighbours), async {
        lookup.marks.read().await.map_err(|error| error.to_string())
    });
    let (neighbours, marks) = (neighbours.map_err(LookupError::Failed)?, marks.map_err(LookupError::Failed)?);
    let now = lookup.clock.now();
    let candidates: Vec<Candidate> = neighbours
        .into_iter()
        .filter_map(|neighbour| candidate(&lookup.cache, &marks, question, neighbour, now))
        .collect();
    Ok(judge(&question.text, &candidates, &rules))
}

async fn nearest(lookup: &Lookup, question: &Question, most: usize) -> Result<Vec<Neighbour>, String> {
    let vector = match (&lookup.cache.embedder, &question.vector) {
        (None, _) => {
            embed(lookup.embedder.as_ref(), &[&asked(&question.text)]).await?.pop().unwrap_or_default()
        }
        (Some(_), Some(vector)) => vector.components().to_vec(),
        (Some(embedder), None) => return Err(format!("{} has not embedded the question", embedder.model)),
    };
    let found = lookup.vectors.nearest(question.partition.as_str(), &vector, most).await;
    found.map_err(|error: StoreError| error.to_string())
}

/// A neighbour that may still be given and lies where it says. What cannot be read is none.
fn candidate(
    cache: &Cache,
    marks: &Marks,
    question: &Question,
    neighbour: Neighbour,
    now: Timestamp,
) -> Option<Candidate> {
    let payload = Payload::read(&neighbour.payload)?;
    (question.is_answered_by(&payload.labels) && marks.let_stand(&payload.kept(), ttl(cache), now)).then(
        || Candidate {
            key: payload.key.clone(),
            similarity: neighbour.similarity,
            question: payload.question,
            answer: payload.answer,
        },
    )
}

/// Vectors of the embedder in the process.
async fn embed(embedder: &dyn Embedder, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
    if embedder.id() != EMBEDDER {
        return Err(format!("the embedder is {}, and partitions are those of {EMBEDDER}", embedder.id()));
    }
    let vectors = embedder.embed(texts).await?;
    let fits =
        vectors.len() == texts.len() && vectors.iter().all(|vector| vector.len() == embedder.dimensions());
    if fits { Ok(vectors) } else { Err("the embedder gave vectors of another number or size".to_owned()) }
}

/// By which rules near matches of `model` are judged.
fn rules(cache: &Cache, model: &str) -> Rules {
    let set = cache.semantic_rules(model);
    let rules = match set.profile {
        CacheProfile::Safe => Rules::SAFE,
        CacheProfile::HighHit => Rules::HIGH_HIT,
    };
    // Similarities are told in single precision.
    set.threshold.map_or(rules, |threshold| rules.at_least(threshold as f32))
}
