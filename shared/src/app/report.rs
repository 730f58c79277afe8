//! The answer of `GET /v1/usage`: rollups summed and grouped.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::money::{MoneyError, NanoUsd};
use crate::domain::rollup::{ModelUse, Rollup};
use crate::domain::time::{Period, Timestamp};

/// What a report tells apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grouping {
    pub hour: bool,
    pub day: bool,
    pub key: bool,
    pub user: bool,
    pub model: bool,
}

impl Grouping {
    /// No groups, only the total.
    pub fn is_none(&self) -> bool {
        *self == Grouping::default()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageReport {
    /// What was settled until then is in it.
    pub as_of: String,
    pub total: Totals,
    /// Empty where no grouping was asked for.
    pub groups: Vec<Group>,
}

/// One group, under the names it was asked by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Group {
    #[serde(flatten)]
    pub name: Name,
    #[serde(flatten)]
    pub totals: Totals,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Name {
    /// The beginning of the hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hour: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The inner none is nobody: requests that named no user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Requests, however many attempts each of them took. In groups by model, those that this model
    /// was asked: one that fell back is in two of them.
    pub requests: u64,
    pub attempts: u64,
    pub cache_hits: u64,
    pub input_tokens: u64,
    /// The part of the input that a provider's cache knew.
    pub cached_tokens: u64,
    pub output_tokens: u64,
    /// The part of the output spent on reasoning.
    pub reasoning_tokens: u64,
    pub cost_usd: NanoUsd,
    /// The part of the cost that is an upper bound.
    pub estimated_usd: NanoUsd,
}

/// # Errors
/// [`MoneyError::Overflow`] when a sum does not fit 64 bits.
pub fn report(rollups: &[Rollup], grouping: Grouping, as_of: Timestamp) -> Result<UsageReport, MoneyError> {
    let total = sum(rollups, Grouping::default())?.remove(&Name::default()).unwrap_or_default();
    let groups = if grouping.is_none() { BTreeMap::new() } else { sum(rollups, grouping)? };
    let groups = groups.into_iter().map(|(name, used)| Group { name, totals: used.into() });
    Ok(UsageReport { as_of: as_of.rfc3339(), total: total.into(), groups: groups.collect() })
}

/// Counts are summed where requests are distinct for what is told apart: a request with two models
/// is one request of its user.
fn sum(rollups: &[Rollup], grouping: Grouping) -> Result<BTreeMap<Name, ModelUse>, MoneyError> {
    let mut sums: BTreeMap<Name, ModelUse> = BTreeMap::new();
    for rollup in rollups {
        let of_key = Name::of(rollup, grouping);
        if !grouping.user && !grouping.model {
            sums.entry(of_key.clone()).or_default().requests += rollup.requests;
        }
        for used in &rollup.users {
            let of_user = Name { user: grouping.user.then(|| used.user.clone()), ..of_key.clone() };
            if grouping.user && !grouping.model {
                sums.entry(of_user.clone()).or_default().requests += used.requests;
            }
            for (model, counts) in &used.models {
                let name = Name { model: grouping.model.then(|| model.clone()), ..of_user.clone() };
                let requests = if grouping.model { counts.requests } else { 0 };
                sums.entry(name).or_default().add(&ModelUse { requests, ..*counts })?;
            }
        }
    }
    Ok(sums)
}

impl Name {
    fn of(rollup: &Rollup, grouping: Grouping) -> Self {
        let at = Timestamp::of_hour(rollup.hour);
        Name {
            hour: grouping.hour.then(|| at.rfc3339()),
            day: grouping.day.then(|| Period::Day.starts_at(at).date()),
            key: grouping.key.then(|| rollup.key_id.clone()),
            user: None,
            model: None,
        }
    }
}

impl From<ModelUse> for Totals {
    fn from(sum: ModelUse) -> Self {
        Totals {
            requests: sum.requests,
            attempts: sum.attempts,
            cache_hits: sum.cache_hits,
            input_tokens: sum.input,
            cached_tokens: sum.cached,
            output_tokens: sum.output,
            reasoning_tokens: sum.reasoning,
            cost_usd: sum.cost,
            estimated_usd: sum.estimated,
        }
    }
}

#[cfg(test)]
mod tests;
