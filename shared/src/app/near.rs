//! The semantic tier on the way of a request: an exact miss, and perhaps the answer to a near
//! question.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::App;
use super::lookup::{self, Place};
use super::question::{Order, Purse};
use super::random::below;
use crate::config::SemanticMode;
use crate::domain::cache::{CacheKey, QuestionVector};
use crate::domain::guard::asked;
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
    /// Of the question, where a provider embedded it in time.
    pub vector: Option<QuestionVector>,
}

/// Searches near questions, unless this request, its model or this gateway has none. Whatever goes
/// wrong or takes longer than `cache.lookup_budget_ms`, or than the request has time, is a miss. Where a provider embeds, `purse`
/// pays for it, and what it is charged is settled before this returns, or given up to the queue.
pub(super) async fn near(
    app: &Arc<App>,
    place: Option<&Place>,
    tenant: &str,
    (now, deadline): (Timestamp, Instant),
    purse: Option<Purse>,
) -> NearMatch {
    let Some((place, tier)) = place.zip(app.semantic.as_ref()) else { return NearMatch::default() };
    let mode = app.config.cache.semantic_rules(&place.model).mode;
    if mode == SemanticMode::Off {
        return NearMatch::default();
    }
    let Some(mut question) = place.near_question(tenant) else { return NearMatch::default() };
    let begun = Instant::now();
    let by = deadline.min(begun + Duration::from_millis(app.config.cache.lookup_budget_ms));
    if begun >= by {
        return NearMatch { note: Some(Near::new(Near::TIMEOUT, None)), ..NearMatch::default() };
    }
    let mut order = order(app, &question, purse, by);
    let looked = timeout_at(by, async {
        if let Some(order) = &mut order {
            question.vector = Some(order.vector().await?);
        }
        search(app, tier, &question, now).await
    });
    let (note, found) = looked.await.unwrap_or(Err(LookupError::Timeout)).unwrap_or_else(|error| {
        tracing::warn!(%error, "semantic cache lookup failed; answering as a miss");
        (Near::new(name_of(&error), None), None)
    });
    if let Some(order) = order {
        order.settled(app.tuning.settle).await;
    }
    let near = NearMatch { note: Some(note), vector: question.vector, ..NearMatch::default() };
    let Some((key, entry)) = found else { return near };
    let is_sample = || below(app, 1_000_000) < u64::from(app.config.cache.verify_share_ppm);
    match mode == SemanticMode::Shadow || is_sample() {
        true => NearMatch { candidate: Some(key), ..near },
        false => NearMatch { entry: Some(entry), ..near },
    }
}

/// The vector of the question, where a provider embeds and somebody pays.
fn order(app: &Arc<App>, question: &Question, purse: Option<Purse>, by: Instant) -> Option<Order> {
    let embedder = app.config.cache.embedder.as_ref()?;
    Some(Order::place(app, embedder, purse?, asked(&question.text), by))
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
