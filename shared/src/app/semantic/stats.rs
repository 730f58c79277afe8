//! The answer of `GET /v1/cache/stats`: what the cache answered, and how often a near match would
//! have been right.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::app::error::GatewayError;
use crate::app::meter::{self, Sources};
use crate::app::report::Grouping;
use crate::app::unavailable::Unavailable;
use crate::domain::notes::Near;
use crate::domain::rollup::CacheUse;
use crate::domain::share::{ratio, wilson};
use crate::domain::time::Timestamp;
use crate::ports::{MeasurePrecision, Precision, StoreError};

/// Where the figures are read.
#[derive(Clone, Copy)]
pub struct Statistics<'a> {
    pub usage: Sources<'a>,
    pub precision: &'a dyn MeasurePrecision,
}

/// Whose figures are asked for, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Whose requests count.
    pub keys: Vec<String>,
    /// Whose comparisons count.
    pub tenants: BTreeSet<String>,
    pub since: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CacheStats {
    pub as_of: String,
    #[serde(flatten)]
    pub total: Figures,
    pub precision: Measured,
    /// By `provider/model`.
    pub models: BTreeMap<String, ModelStats>,
    /// Lookups that came to nothing, under the names of their metrics.
    pub counters: BTreeMap<&'static str, u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelStats {
    #[serde(flatten)]
    pub figures: Figures,
    pub precision: Measured,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Requests that may be answered from the cache, and those that may not.
    pub requests: u64,
    pub hits: Hits,
    pub misses: u64,
    pub bypasses: u64,
    /// Why the cache was passed by.
    pub bypass_reasons: BTreeMap<String, u64>,
    /// What searches for near questions came to.
    pub verdicts: BTreeMap<String, u64>,
    /// Matches that a provider answered all the same: in shadow, and for the comparison.
    pub withheld: u64,
    /// Hits of hits and misses; none where there was neither.
    pub hit_ratio: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hits {
    pub exact: u64,
    pub semantic: u64,
}

/// Near matches whose answer was compared with a fresh one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measured {
    pub compared: u64,
    pub agreed: u64,
    /// Agreed of compared; none before the first comparison.
    pub precision: Option<f64>,
    /// Wilson's 95 % interval of it.
    pub interval: Option<[f64; 2]>,
}

/// # Errors
/// [`GatewayError::Unavailable`].
pub async fn stats(
    sources: &Statistics<'_>,
    scope: &Scope,
    now: Timestamp,
) -> Result<CacheStats, GatewayError> {
    let collected = collect(sources, scope, now).await;
    collected.map_err(|error| Unavailable::CacheStatistics.because(error))
}

async fn collect(sources: &Statistics<'_>, scope: &Scope, now: Timestamp) -> Result<CacheStats, StoreError> {
    let (keys, since) = (scope.keys.clone(), scope.since);
    let question = meter::Question { keys, since, until: None, grouping: Grouping::default() };
    let (as_of, rollups) = meter::rollups(&sources.usage, &question, now).await?;
    let mut used: BTreeMap<String, (CacheUse, Precision)> = BTreeMap::new();
    for (model, cache) in rollups.iter().flat_map(|rollup| &rollup.cache) {
        used.entry(model.clone()).or_default().0.add(cache);
    }
    for tenant in &scope.tenants {
        for (model, counted) in sources.precision.precision(tenant, scope.since).await? {
            add(&mut used.entry(model).or_default().1, &counted);
        }
    }
    let (mut all, mut compared) = (CacheUse::default(), Precision::default());
    for (cache, counted) in used.values() {
        all.add(cache);
        add(&mut compared, counted);
    }
    let counted = |name: &str| all.near.get(name).copied().unwrap_or_default();
    let counters = BTreeMap::from([
        ("cache.lookup.timeout", counted(Near::TIMEOUT)),
        ("cache.lookup.error", counted(Near::ERROR)),
    ]);
    let of_model = |(cache, counted): (CacheUse, Precision)| ModelStats {
        figures: Figures::of(&cache),
        precision: Measured::of(counted),
    };
    Ok(CacheStats {
        as_of: as_of.rfc3339(),
        total: Figures::of(&all),
        precision: Measured::of(compared),
        models: used.into_iter().map(|(model, used)| (model, of_model(used))).collect(),
        counters,
    })
}

fn add(sum: &mut Precision, more: &Precision) {
    sum.compared = sum.compared.saturating_add(more.compared);
    sum.agreed = sum.agreed.saturating_add(more.agreed);
}

impl Figures {
    fn of(used: &CacheUse) -> Self {
        let hits = Hits { exact: used.exact, semantic: used.semantic };
        let bypasses = used.bypass.values().sum();
        let (answered, looked) = (hits.exact + hits.semantic, hits.exact + hits.semantic + used.miss);
        let matched = used.near.get("served").copied().unwrap_or_default();
        Figures {
            requests: looked + bypasses,
            hits,
            misses: used.miss,
            bypasses,
            bypass_reasons: used.bypass.clone(),
            verdicts: used.near.clone(),
            withheld: matched.saturating_sub(used.semantic),
            hit_ratio: ratio(answered, looked),
        }
    }
}

impl Measured {
    fn of(counted: Precision) -> Self {
        let Precision { compared, agreed } = counted;
        Measured { compared, agreed, precision: ratio(agreed, compared), interval: wilson(agreed, compared) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_matched_and_not_served_was_withheld() {
        let near = BTreeMap::from([("served".to_owned(), 5), ("margin".to_owned(), 2)]);
        let used = CacheUse { exact: 1, semantic: 3, miss: 4, near, ..CacheUse::default() };
        let figures = Figures::of(&used);
        assert_eq!((figures.withheld, figures.requests, figures.hit_ratio), (2, 8, Some(0.5)));
    }
}
