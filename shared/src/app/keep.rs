//! Keeps complete answers, tells the indexer of them, and notes what models call themselves.

use super::App;
use super::best_effort::best_effort;
use super::lookup::{Place, ttl};
use crate::config::{ModelName, SemanticMode};
use crate::domain::cache::{CacheKey, QuestionVector, Served};
use crate::domain::time::Timestamp;
use crate::ports::IndexJob;
use crate::protocol::answer::Answer;

/// The largest entry, in bytes of JSON: a DynamoDB item holds 400 KB.
const ENTRY_BYTES_MAX: usize = 350_000;

/// Where the answer to a request is kept, and what it is compared with.
#[derive(Clone, Debug)]
pub(super) struct Keep {
    pub place: Place,
    /// A near match that was not served, or served to others as a sample is not.
    pub candidate: Option<CacheKey>,
    /// Of the question, where a provider embedded it in time.
    pub vector: Option<QuestionVector>,
}

impl Keep {
    /// Keeps a complete answer to a request of `created`. Best effort: a failure is logged and costs
    /// the next caller a miss.
    pub(super) async fn keep(
        &self,
        app: &App,
        tenant: &str,
        answer: &Answer,
        served_by: &ModelName,
        created: Timestamp,
    ) {
        let mut entry = self.place.entry(tenant, answer.clone(), served_by, created);
        entry.question = entry.question.filter(|_| self.is_indexed(app));
        entry.vector = self.vector.clone().filter(|_| entry.question.is_some());
        let bytes = serde_json::to_vec(&entry).map_or(usize::MAX, |json| json.len());
        if !answer.is_cacheable() || bytes > ENTRY_BYTES_MAX {
            return;
        }
        let expires = created + ttl(&app.config.cache);
        let write = async {
            app.answers.put(&self.place.key, &entry, expires).await?;
            match app.semantic.as_ref().filter(|_| entry.question.is_some()) {
                // The indexer reads the entry, so it must be there before the job is.
                Some(semantic) => semantic.jobs.send(&self.job()).await,
                None => Ok(()),
            }
        };
        best_effort(app.tuning.settle, "answer not cached or not indexed", write).await;
    }

    fn is_indexed(&self, app: &App) -> bool {
        let mode = app.config.cache.semantic_rules(&self.place.model).mode;
        let has_vector = app.config.cache.embedder.is_none() || self.vector.is_some();
        app.semantic.is_some() && mode != SemanticMode::Off && has_vector
    }

    fn job(&self) -> IndexJob {
        IndexJob { key: self.place.key.clone(), candidate: self.candidate.clone() }
    }
}

/// Notes what the model that gave `answer` calls itself, where that is news to this instance.
pub(super) async fn note_served(app: &App, target: &ModelName, answer: &Answer, at: Timestamp) {
    let (model, fingerprint) = (answer.model.as_deref(), answer.fingerprint.as_deref());
    // Without a copy nothing was looked up here, and nothing is served that this could make stale.
    let Some(marks) = app.marks.last() else { return };
    if marks.served(target.as_str()).is_some_and(|served| served.is_by(model, fingerprint)) {
        return;
    }
    let served = Served {
        target: target.to_string(),
        model: answer.model.clone(),
        fingerprint: answer.fingerprint.clone(),
        at,
    };
    best_effort(app.tuning.settle, "a change of the model is not noted", app.marks.note_served(&served))
        .await;
}
