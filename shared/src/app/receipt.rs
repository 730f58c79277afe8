//! The receipt of a request: which models were asked and why, what each attempt held and cost, and
//! where the time went. It is read from the ledger lines of the request alone.

use serde::Serialize;

use crate::domain::id::AttemptId;
use crate::domain::ledger::{LedgerLine, Outcome, Quality};
use crate::domain::money::{MoneyError, NanoUsd};
use crate::domain::notes::{CacheStatus, Fault, Notes, Spent, Why};
use crate::domain::usage::TokenUsage;

/// The answer of `GET /v1/requests/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    pub id: AttemptId,
    /// When the request came in.
    pub at: String,
    pub key_id: String,
    pub user: Option<String>,
    /// Unknown where only a sweep posted lines.
    pub cache: Option<CacheStatus>,
    /// Every model that was thought of, in order.
    pub route: Vec<Stop>,
    pub attempts: Vec<AttemptReceipt>,
    /// Calls that embedded the question to look for near ones, where a provider does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lookups: Vec<AttemptReceipt>,
    pub settled_usd: NanoUsd,
    /// Estimated where any of its attempts is.
    pub quality: Quality,
}

/// A model on the route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stop {
    pub model: String,
    #[serde(flatten)]
    pub came: Came,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Came {
    /// It answered.
    Chosen,
    /// Its answer, given earlier, came from the cache.
    FromCache,
    /// It was asked and failed.
    Failed {
        fault: Option<Fault>,
    },
    /// Money was held for it, and it was never asked.
    Abandoned,
    Skipped(Why),
    /// Its turn never came: another had answered.
    NotNeeded,
    /// Its turn came after the last attempt: its circuit was open, nothing was left of its time or
    /// of the budget, or the request itself was at fault.
    NotAsked,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptReceipt {
    pub id: AttemptId,
    pub model: String,
    pub outcome: Outcome,
    /// None for what was free.
    pub price_id: Option<String>,
    pub reserved_usd: NanoUsd,
    pub settled_usd: NanoUsd,
    pub quality: Quality,
    pub usage: TokenUsage,
    pub latency_ms: Option<Latency>,
    pub settled_at: String,
}

/// Milliseconds. The settlement is not among them: the line that says so is its first write.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    pub auth: f64,
    pub cache: f64,
    pub admit: f64,
    pub first_token: Option<f64>,
    pub upstream: Option<f64>,
}

/// The receipt of the request whose `lines` these are; none without lines.
///
/// # Errors
/// [`MoneyError::Overflow`] when the costs do not fit 64 bits.
pub fn receipt(mut lines: Vec<LedgerLine>) -> Result<Option<Receipt>, MoneyError> {
    // Ids of the same millisecond are in no order.
    let number = |line: &LedgerLine| line.notes.as_ref().map(|notes| notes.attempt);
    lines.sort_by_key(|line| (line.id.at(), number(line), line.id));
    let Some(first) = lines.first() else { return Ok(None) };
    let settled = lines.iter().try_fold(NanoUsd::ZERO, |settled, line| settled.checked_add(line.amount))?;
    let is_estimated = lines.iter().any(|line| line.quality == Quality::Estimated);
    let (id, key_id) = (first.request, first.key_id.clone());
    let user = lines.iter().find_map(|line| line.user.clone());
    let is_lookup = |line: &LedgerLine| line.notes.as_ref().is_some_and(|notes| notes.for_lookup);
    let (lookups, lines): (Vec<_>, Vec<_>) = lines.into_iter().partition(is_lookup);
    Ok(Some(Receipt {
        id,
        at: id.at().rfc3339(),
        key_id,
        user,
        cache: notes(&lines).next().map(|notes| notes.cache),
        route: route(&lines),
        attempts: lines.iter().map(attempt).collect(),
        lookups: lookups.iter().map(attempt).collect(),
        settled_usd: settled,
        quality: if is_estimated { Quality::Estimated } else { Quality::Exact },
    }))
}

fn notes(lines: &[LedgerLine]) -> impl Iterator<Item = &Notes> {
    lines.iter().filter_map(|line| line.notes.as_ref())
}

fn route(lines: &[LedgerLine]) -> Vec<Stop> {
    let mut route: Vec<Stop> = Vec::new();
    for line in lines {
        let skipped = line.notes.iter().flat_map(|notes| &notes.skipped);
        route.extend(
            skipped.map(|one| Stop { model: one.model.clone(), came: Came::Skipped(one.why.clone()) }),
        );
        route.push(Stop { model: line.model.clone(), came: came(line) });
    }
    let answered = route.iter().any(|stop| matches!(stop.came, Came::Chosen));
    let left = if answered { Came::NotNeeded } else { Came::NotAsked };
    let rest: Vec<Stop> = notes(lines)
        .flat_map(|notes| &notes.planned)
        .filter(|model| route.iter().all(|stop| stop.model != **model))
        .map(|model| Stop { model: model.clone(), came: left.clone() })
        .collect();
    route.extend(rest);
    route
}

fn came(line: &LedgerLine) -> Came {
    match line.outcome {
        Outcome::Completed | Outcome::Stopped => Came::Chosen,
        Outcome::CacheHit => Came::FromCache,
        Outcome::Abandoned => Came::Abandoned,
        Outcome::FailedUnbilled | Outcome::FailedBilled => {
            Came::Failed { fault: line.notes.as_ref().and_then(|notes| notes.fault) }
        }
    }
}

fn attempt(line: &LedgerLine) -> AttemptReceipt {
    AttemptReceipt {
        id: line.id,
        model: line.model.clone(),
        outcome: line.outcome,
        price_id: Some(line.price.clone()).filter(|price| !price.is_empty()),
        reserved_usd: line.reserved,
        settled_usd: line.amount,
        quality: line.quality,
        usage: line.usage,
        latency_ms: line.notes.as_ref().map(|notes| Latency::of(&notes.spent)),
        settled_at: line.at.rfc3339(),
    }
}

impl Latency {
    fn of(spent: &Spent) -> Self {
        let millis = |micros: u64| std::time::Duration::from_micros(micros).as_secs_f64() * 1_000.0;
        // To the microsecond, so that no digits are shown which nobody measured.
        let millis = |micros: u64| (millis(micros) * 1_000.0).round() / 1_000.0;
        Latency {
            auth: millis(spent.auth),
            cache: millis(spent.cache),
            admit: millis(spent.admit),
            first_token: spent.first_token.map(millis),
            upstream: spent.upstream.map(millis),
        }
    }
}
