//! The document of the dashboard. Its size is bounded whatever there is: the dearest are told apart,
//! the rest are counted.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::days::{Day, Slot, Sums};
use crate::app::alerts::AlertView;
use crate::app::budgets::BudgetView;
use crate::domain::histogram::Histogram;
use crate::domain::key::KeyRecord;
use crate::domain::money::{MoneyError, NanoUsd};
use crate::domain::rollup::{KeyUse, ModelUse, OTHERS, Tiers};
use crate::domain::time::Timestamp;

/// Keys and models that are listed.
const ROWS_MAX: usize = 50;
/// Models that have a line of their own over time.
const LINES_MAX: usize = 5;

/// What the dashboard shows.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// What was folded until then is in it; null before the first request.
    pub as_of: Option<String>,
    /// Days that were asked for, today included.
    pub days: u32,
    /// Days that are in it; fewer than `days` while this instance still reads older ones.
    pub days_read: u32,
    pub today: Totals,
    pub total: Totals,
    pub latency: Latency,
    pub series: Series,
    pub models: Vec<ModelRow>,
    pub more_models: Rest,
    pub keys: Vec<KeyRow>,
    pub more_keys: Rest,
    /// Those that are nearest to their cap first.
    pub budgets: Vec<BudgetRow>,
    /// Budgets that are not listed.
    pub more_budgets: usize,
    pub breakers: Vec<BreakerRow>,
    /// Newest first.
    pub alerts: Vec<AlertView>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    pub requests: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost_usd: NanoUsd,
    pub fallbacks: u64,
    pub cache: Tiers,
}

impl From<&Slot> for Totals {
    fn from(slot: &Slot) -> Self {
        Totals {
            requests: slot.requests,
            input_tokens: slot.input,
            output_tokens: slot.output,
            cost_usd: slot.cost,
            fallbacks: slot.fallbacks,
            cache: slot.cache,
        }
    }
}

/// In microseconds, each at most a quarter too much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    pub gateway: Percentiles,
    pub first_token: Percentiles,
    pub total: Percentiles,
}

/// Null where nothing was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    pub p50: Option<u64>,
    pub p95: Option<u64>,
    pub p99: Option<u64>,
}

impl From<&Histogram> for Percentiles {
    fn from(counted: &Histogram) -> Self {
        let [p50, p95, p99] = [50, 95, 99].map(|percent| counted.percentile(percent));
        Percentiles { p50, p95, p99 }
    }
}

/// Columns of one length, oldest first.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Series {
    /// `hour` or `day`.
    pub unit: &'static str,
    /// Seconds since the epoch at which each slot begins.
    pub at: Vec<i64>,
    pub requests: Vec<u64>,
    pub input_tokens: Vec<u64>,
    pub output_tokens: Vec<u64>,
    pub cost_usd: Vec<NanoUsd>,
    pub cache_hits: Vec<u64>,
    /// Requests that asked the cache.
    pub lookups: Vec<u64>,
    pub fallbacks: Vec<u64>,
    /// The dearest models, and last all others as `*`.
    pub models: Vec<Line>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    pub model: String,
    pub cost_usd: Vec<NanoUsd>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelRow {
    pub model: String,
    pub requests: u64,
    pub attempts: u64,
    pub cache_hits: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost_usd: NanoUsd,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRow {
    pub id: String,
    /// Null where the key is not known any more.
    pub name: Option<String>,
    pub tenant: Option<String>,
    pub requests: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost_usd: NanoUsd,
}

/// What is not listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rest {
    pub count: usize,
    pub cost_usd: NanoUsd,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetRow {
    /// Of a key its name.
    pub name: Option<String>,
    #[serde(flatten)]
    pub budget: BudgetView,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakerRow {
    pub model: String,
    /// `closed`, `open`, or `probing`.
    pub state: &'static str,
    pub failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

impl Series {
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub(super) fn of(days: &BTreeMap<i64, &Day>, by_hour: bool, sums: &Sums) -> Result<Self, MoneyError> {
        let (dearest, _) = split(&sums.models, LINES_MAX, |used| used.cost);
        // What was merged already is among the others.
        let dearest = dearest.into_iter().map(|(model, _)| model).filter(|model| *model != OTHERS);
        let dearest: Vec<&str> = dearest.collect();
        let mut series = Series { unit: if by_hour { "hour" } else { "day" }, ..Series::default() };
        series.models = dearest.iter().chain(&[OTHERS]).map(|model| Line::new(model)).collect();
        for (day, used) in days {
            if by_hour {
                for (hour, slot) in (day * 24..).zip(&used.hours) {
                    series.push(Timestamp::of_hour(hour), slot)?;
                }
            } else {
                series.push(Timestamp::of_hour(day * 24), &used.sums.slot)?;
            }
        }
        Ok(series)
    }

    fn push(&mut self, at: Timestamp, slot: &Slot) -> Result<(), MoneyError> {
        self.at.push(at.seconds());
        self.requests.push(slot.requests);
        self.input_tokens.push(slot.input);
        self.output_tokens.push(slot.output);
        self.cost_usd.push(slot.cost);
        self.fallbacks.push(slot.fallbacks);
        let hits = slot.cache.exact.saturating_add(slot.cache.semantic);
        self.cache_hits.push(hits);
        self.lookups.push(hits.saturating_add(slot.cache.miss));
        let mut rest = slot.cost;
        for line in &mut self.models {
            let cost = match line.model.as_str() {
                OTHERS => rest,
                model => slot.models.get(model).copied().unwrap_or_default(),
            };
            rest = rest.checked_sub(cost)?;
            line.cost_usd.push(cost);
        }
        Ok(())
    }

    /// Leaves out what has not begun at `now`.
    pub(super) fn until(mut self, now: Timestamp) -> Self {
        let past = self.at.iter().filter(|at| **at <= now.seconds()).count();
        self.at.truncate(past);
        for counts in [
            &mut self.requests,
            &mut self.input_tokens,
            &mut self.output_tokens,
            &mut self.cache_hits,
            &mut self.lookups,
            &mut self.fallbacks,
        ] {
            counts.truncate(past);
        }
        self.cost_usd.truncate(past);
        self.models.iter_mut().for_each(|line| line.cost_usd.truncate(past));
        self
    }
}

impl Line {
    fn new(model: &str) -> Self {
        Line { model: model.to_owned(), cost_usd: Vec::new() }
    }
}

pub(super) fn models(sums: &Sums) -> Result<(Vec<ModelRow>, Rest), MoneyError> {
    let (dearest, others) = split(&sums.models, ROWS_MAX, |used: &ModelUse| used.cost);
    let row = |(model, used): (&str, &ModelUse)| ModelRow {
        model: model.to_owned(),
        requests: used.requests,
        attempts: used.attempts,
        cache_hits: used.cache_hits,
        input_tokens: used.input,
        output_tokens: used.output,
        cost_usd: used.cost,
    };
    let rest = Rest::of(others.iter().map(|(_, used)| used.cost))?;
    Ok((dearest.into_iter().map(row).collect(), rest))
}

pub(super) fn keys(sums: &Sums, records: &[KeyRecord]) -> Result<(Vec<KeyRow>, Rest), MoneyError> {
    let known: BTreeMap<&str, &KeyRecord> = records.iter().map(|one| (one.id.as_str(), one)).collect();
    let (dearest, others) = split(&sums.keys, ROWS_MAX, |used: &KeyUse| used.cost);
    let row = |(id, used): (&str, &KeyUse)| KeyRow {
        id: id.to_owned(),
        name: known.get(id).map(|record| record.name.clone()),
        tenant: known.get(id).map(|record| record.tenant.clone()),
        requests: used.requests,
        input_tokens: used.input,
        output_tokens: used.output,
        cost_usd: used.cost,
    };
    let rest = Rest::of(others.iter().map(|(_, used)| used.cost))?;
    Ok((dearest.into_iter().map(row).collect(), rest))
}

impl Rest {
    fn of(costs: impl Iterator<Item = NanoUsd>) -> Result<Self, MoneyError> {
        let mut rest = Rest::default();
        for cost in costs {
            rest.count += 1;
            rest.cost_usd = rest.cost_usd.checked_add(cost)?;
        }
        Ok(rest)
    }
}

type Named<'a, T> = Vec<(&'a str, &'a T)>;

/// The `most` dearest, and the others.
fn split<T>(
    uses: &BTreeMap<String, T>,
    most: usize,
    cost: impl Fn(&T) -> NanoUsd,
) -> (Named<'_, T>, Named<'_, T>) {
    let mut named: Named<'_, T> = uses.iter().map(|(name, used)| (name.as_str(), used)).collect();
    named.sort_by_key(|(name, used)| (Reverse(cost(used)), *name));
    let others = named.split_off(most.min(named.len()));
    (named, others)
}
