//! The semantic tier on the way of a request: an exact miss, and perhaps the answer to a near
//! question.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::App;
use super::lookup::{self, Place};
use super::random::below;
use crate::config::SemanticMode;
use crate::domain::cache::CacheKey;
use crate::domain::notes::Near;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;
use crate::ports::{CachedAnswer, IndexQueue, LookupError, Question, SemanticLookup, StoreError};

/// The semantic tier, where there is one.
#[derive(Clone)]
pub struct SemanticTier {
    pub lookup: Arc<dyn SemanticLookup>,
    pub jobs: Arc<dyn IndexQueue>,
}

/// What the semantic tier had for a request.
#[derive(Debug, Default)]
pub(super) struct NearMatch {
    /// None where nothing was searched.
    pub note: Option<Near>,
    /// Serve this.
    pub entry: Option<CachedAnswer>,
    /// Do not serve this, but find out whether it would have been right.
    pub candidate: Option<CacheKey>,
}

/// Searches near questions, unless this request, its model or this gateway has none. Whatever goes
/// wrong or takes longer than `cache.lookup_budget_ms` is a miss.
pub(super) async fn near(app: &App, place: Option<&Place>, tenant: &str, now: Timestamp) -> NearMatch {
    let Some((place, tier)) = place.zip(app.semantic.as_ref()) else { return NearMatch::default() };
    let mode = app.config.cache.semantic_rules(&place.model).mode;
    if mode == SemanticMode::Off {
        return NearMatch::default();
    }
    let Some(question) = place.near_question(tenant) else { return NearMatch::default() };
    let budget = Duration::from_millis(app.config.cache.lookup_budget_ms);
    let looked = timeout(budget, search(app, tier, &question, now)).await;
    let (note, found) = looked.unwrap_or(Err(LookupError::Timeout)).unwrap_or_else(|error| {
        tracing::warn!(%error, "semantic cache lookup failed; answering as a miss");
        (Near::new(name_of(&error), None), None)
    });
    let Some((key, entry)) = found else { return NearMatch { note: Some(note), ..NearMatch::default() } };
    let is_sample = || below(app, 1_000_000) < u64::from(app.config.cache.verify_share_ppm);
    match mode == SemanticMode::Shadow || is_sample() {
        true => NearMatch { note: Some(note), entry: None, candidate: Some(key) },
        false => NearMatch { note: Some(note), entry: Some(entry), candidate: None },
    }
}

type Hit = (CacheKey, CachedAnswer);

/// The verdict, and the entry that it names, read and compared again: what the vector store said of
/// it may be older than the entry and its marks.
async fn search(
    app: &App,
    tier: &SemanticTier,
    question: &Question,
    now: Timestamp,
) -> Result<(Near, Option<Hit>), LookupError> {
    let finding = tier.lookup.look_up(question).await?;
    let note = |came: &str| Near::new(came, finding.similarity);
    let key = finding.key.filter(|_| finding.verdict == Verdict::Served);
    let Some(key) = key else { return Ok((note(finding.verdict.name()), None)) };
    let failed = |error: StoreError| LookupError::Failed(error.to_string());
    let found = lookup::read(app.answers.as_ref(), &app.marks, &key).await.map_err(failed)?;
    match found.for_question(&app.config.cache, question, now) {
        Some(entry) => Ok((note(finding.verdict.name()), Some((key, entry)))),
        None => Ok((note(Near::STALE), None)),
    }
}

fn name_of(error: &LookupError) -> &'static str {
    match error {
        LookupError::Timeout => Near::TIMEOUT,
        LookupError::Failed(_) => Near::ERROR,
    }
}
