//! What the cache has for a request, told and not served.

use serde::Serialize;

use super::{Lookup, look_up};
use crate::app::arrival::Told;
use crate::app::authenticate::Caller;
use crate::app::error::GatewayError;
use crate::app::lookup::{self, Asked, Found, Place, standing};
use crate::app::unavailable::Unavailable;
use crate::app::warm_marks::WarmMarks;
use crate::config::{Cache, ModelName, SemanticMode};
use crate::domain::cache::{CacheKey, CachePartition};
use crate::domain::time::Timestamp;
use crate::ports::{AnswerCache, CachedAnswer, LookupError, StoreError};
use crate::protocol::canonical::ChatRequest;

/// A request as it would be sent to a model.
#[derive(Clone, Debug)]
pub struct Asking {
    pub model: ModelName,
    pub request: ChatRequest,
    pub told: Told,
    pub no_cache: bool,
}

/// Which tier would answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    Exact,
    Semantic,
    None,
}

/// What the cache has for a request.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Probed {
    pub tier: Tier,
    /// What a search for near questions came to, as it is counted. `exact` where none is needed,
    /// `bypass` where neither tier is asked, `off` where there is no search.
    pub verdict: String,
    /// Why the cache is passed by.
    pub reason: Option<&'static str>,
    /// Cosine of the nearest stored question.
    pub similarity: Option<f32>,
    /// Seconds since the request came in that the entry answers.
    pub age_seconds: Option<u64>,
    /// What the entry was asked.
    pub question: Option<String>,
    pub model: String,
    pub partition: Option<CachePartition>,
    pub key: Option<CacheKey>,
}

/// Where to look.
#[derive(Clone, Copy)]
pub struct Tiers<'a> {
    pub cache: &'a Cache,
    pub answers: &'a dyn AnswerCache,
    pub marks: &'a WarmMarks,
    /// None where nothing searches near questions.
    pub semantic: Option<&'a Lookup>,
}

/// Looks a request up as the gateway would, for its caller. In shadow the entry is told as well.
///
/// # Errors
/// [`GatewayError::ModelForbidden`]; [`GatewayError::Unavailable`] where the gateway would answer as a
/// miss.
pub async fn probe(
    tiers: Tiers<'_>,
    caller: &Caller,
    asking: &Asking,
    now: Timestamp,
) -> Result<Probed, GatewayError> {
    caller.may_use(&asking.model)?;
    let record = caller.record();
    let Asking { model, request, told, no_cache } = asking;
    let asked = Asked { model, request, told, no_cache: *no_cache };
    let standing = standing(tiers.cache, record, &asked);
    let Some(place) = standing.place() else {
        return Ok(Probed { reason: standing.bypass(), ..nothing("bypass", model) });
    };
    let found_there = read(tiers, &place.key).await?.for_tenant(tiers.cache, &record.tenant, now);
    let looked = match found_there {
        Some(entry) => found(Tier::Exact, "exact", model, &place.key, &entry, now),
        None => near(tiers, place, &record.tenant, model, now).await?,
    };
    Ok(Probed { partition: Some(place.partition(&record.tenant)), ..looked })
}

async fn near(
    tiers: Tiers<'_>,
    place: &Place,
    tenant: &str,
    model: &ModelName,
    now: Timestamp,
) -> Result<Probed, GatewayError> {
    let is_off = tiers.cache.semantic_rules(&place.model).mode == SemanticMode::Off;
    let (Some(lookup), Some(question), false) = (tiers.semantic, place.near_question(tenant), is_off) else {
        return Ok(nothing("off", model));
    };
    let failed = |error: LookupError| Unavailable::NearSearch.because(StoreError::NoReply(error.to_string()));
    let finding = look_up(lookup, &question).await.map_err(failed)?;
    let verdict = finding.verdict.name();
    let entry = match &finding.key {
        Some(key) => {
            let found = read(tiers, key).await?.for_question(tiers.cache, &question, now);
            found.map(|entry| (key, entry))
        }
        None => None,
    };
    let looked = match entry {
        Some((key, entry)) => found(Tier::Semantic, verdict, model, key, &entry, now),
        None if finding.key.is_some() => nothing("stale", model),
        None => nothing(verdict, model),
    };
    Ok(Probed { similarity: finding.similarity, ..looked })
}

async fn read(tiers: Tiers<'_>, key: &CacheKey) -> Result<Found, GatewayError> {
    let found = lookup::read(tiers.answers, tiers.marks, key).await;
    found.map_err(|error| Unavailable::CacheRead.because(error))
}

fn found(
    tier: Tier,
    verdict: &str,
    model: &ModelName,
    key: &CacheKey,
    entry: &CachedAnswer,
    now: Timestamp,
) -> Probed {
    Probed {
        tier,
        age_seconds: Some(now.since(entry.created_at).as_secs()),
        question: entry.question.clone(),
        key: Some(key.clone()),
        ..nothing(verdict, model)
    }
}

fn nothing(verdict: &str, model: &ModelName) -> Probed {
    Probed {
        tier: Tier::None,
        verdict: verdict.to_owned(),
        reason: None,
        similarity: None,
        age_seconds: None,
        question: None,
        model: model.to_string(),
        partition: None,
        key: None,
    }
}
