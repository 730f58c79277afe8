//! What is wrong with the gateway itself, and what it costs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use super::clear::Measured;
use super::{Limits, Watch};
use crate::app::sweep::Tally;
use crate::domain::alert::{About, Alert, AlertId, Severity, WEEK_HOURS, variance};
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;
use crate::ports::StoreError;

/// Minutes after an hour until what it cost is folded.
const SETTLED: i64 = 5;
/// How often the same is told within an hour at most, because it was over in between.
const TIMES_AN_HOUR: usize = 12;

/// What goes on is told anew each hour, and what comes back within it as well.
fn of_gateway(what: &str, severity: Severity, now: Timestamp, about: About) -> Alert {
    let id = AlertId::of(&["gateway", what, &now.hour().to_string()]);
    Alert { id, at: now, severity, tenant: None, about }
}

pub(super) fn of_gateway_itself(measured: &Measured, limits: &Limits, now: Timestamp) -> Vec<Alert> {
    let vitals = measured.vitals.unwrap_or_default();
    let latency = vitals.p95_ms.filter(|p95| *p95 > limits.p95_ms).map(|p95_ms| {
        let about = About::GatewayLatency { p95_ms, limit_ms: limits.p95_ms };
        of_gateway("latency", Severity::Warning, now, about)
    });
    let fallback = vitals.fallback_ppm.filter(|ppm| *ppm > limits.fallback_ppm).map(|rate_ppm| {
        let about = About::FallbackRate { rate_ppm, limit_ppm: limits.fallback_ppm };
        of_gateway("fallback", Severity::Warning, now, about)
    });
    let waiting = measured.dead_letters.iter().flatten().filter(|(_, waiting)| *waiting > 0);
    let letters = waiting.map(|(queue, waiting)| {
        let about = About::DeadLetters { queue: queue.clone(), waiting: *waiting };
        of_gateway(&format!("letters#{queue}"), Severity::Critical, now, about)
    });
    latency.into_iter().chain(fallback).chain(letters).collect()
}

/// Holds that were charged because nobody settled them, or that could not be ended.
pub(super) fn of_sweep(swept: &Tally, now: Timestamp) -> Option<Alert> {
    let count = |holds: usize| u64::try_from(holds).unwrap_or(u64::MAX);
    let (estimated, failed) = (count(swept.estimated), count(swept.failed));
    let about = About::Sweeps { estimated, failed };
    (estimated + failed > 0).then(|| of_gateway("sweeps", Severity::Warning, now, about))
}

impl Watch {
    /// What could be measured; the rest is no reason to keep other alerts back.
    pub(super) async fn measured(&self, now: Timestamp) -> Measured {
        let Some(metrics) = &self.metrics else { return Measured::default() };
        let (vitals, letters) = tokio::join!(metrics.vitals(now), metrics.dead_letters());
        let unknown = |error: &StoreError| tracing::warn!(%error, "how the gateway has been is not known");
        Measured { vitals: vitals.inspect_err(unknown).ok(), dead_letters: letters.inspect_err(unknown).ok() }
    }

    /// Raises what is wrong now, unless it is told of already and not over.
    pub(super) async fn raise_anew(&self, alert: Alert) -> Result<bool, StoreError> {
        for time in 0..TIMES_AN_HOUR {
            let id = match time {
                0 => alert.id.clone(),
                _ => AlertId::of(&[alert.id.as_str(), &time.to_string()]),
            };
            match self.outbox.find_alert(&id).await? {
                None => return self.raise(&Alert { id, ..alert }).await,
                Some(entry) if entry.cleared_at.is_none() => return Ok(false),
                Some(_) => {}
            }
        }
        Ok(false)
    }

    /// Compares the last whole hour of each tenant and of all, once an hour.
    pub(super) async fn of_cost(&self, now: Timestamp) -> Result<Vec<Alert>, StoreError> {
        let hour = now.hour() - 1;
        let is_due = now.minute() % 60 >= SETTLED && self.last_compared() != Some(hour);
        if !is_due {
            return Ok(Vec::new());
        }
        let costs = self.costs(hour).await?;
        *self.compared.lock().unwrap_or_else(PoisonError::into_inner) = Some(hour);
        let alerts = costs.into_iter().filter_map(|(tenant, Costs { first, hours })| {
            let cost = |hour: i64| hours.get(&hour).copied().unwrap_or(NanoUsd::ZERO);
            let (min_spend, limits) = (self.limits.variance.min_spend, self.limits.variance);
            (cost(hour) >= min_spend).then(|| variance(tenant.as_deref(), hour, first, cost, limits, now))?
        });
        Ok(alerts.collect())
    }

    fn last_compared(&self) -> Option<i64> {
        *self.compared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Of each tenant and of all together, the hours that `hour` may be compared with. They are read from
    /// the summaries of their days, whatever number of keys there is.
    async fn costs(&self, hour: i64) -> Result<BTreeMap<Option<String>, Costs>, StoreError> {
        let hours = [hour, hour - 1, hour - WEEK_HOURS];
        let days: BTreeSet<i64> = hours.iter().map(|hour| hour.div_euclid(24)).collect();
        let mut costs: BTreeMap<Option<String>, Costs> = BTreeMap::new();
        for record in self.keys.list().await? {
            for whose in [None, Some(record.tenant)] {
                let first = &mut costs.entry(whose).or_default().first;
                *first = (*first).min(record.created_at.hour());
            }
        }
        for day in days {
            let summaries = self.rollups.of_day(day).await?;
            for summary in summaries.iter().filter(|summary| hours.contains(&summary.hour)) {
                for whose in [None, Some(summary.tenant.clone())] {
                    let sum = costs.entry(whose).or_default().hours.entry(summary.hour).or_default();
                    *sum = NanoUsd::from_nano(sum.nano().saturating_add(summary.cost().nano()));
                }
            }
        }
        Ok(costs)
    }
}

/// What a tenant, or all of them, paid.
struct Costs {
    /// The first hour with a key.
    first: i64,
    hours: BTreeMap<i64, NanoUsd>,
}

impl Default for Costs {
    fn default() -> Self {
        Costs { first: i64::MAX, hours: BTreeMap::new() }
    }
}
