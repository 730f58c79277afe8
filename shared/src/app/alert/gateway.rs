//! What is wrong with the gateway itself, and what it costs.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use futures_util::future::try_join_all;

use super::{Limits, Watch};
use crate::app::sweep::Tally;
use crate::domain::alert::{About, Alert, AlertId, Severity, WEEK_HOURS, variance};
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;
use crate::ports::{StoreError, Vitals};

/// Minutes after an hour until what it cost is folded.
const SETTLED: i64 = 5;
/// Keys whose rollups are read side by side.
const AT_ONCE: usize = 8;

/// What goes on is told anew each hour.
fn of_gateway(what: &str, severity: Severity, now: Timestamp, about: About) -> Alert {
    let id = AlertId::of(&["gateway", what, &now.hour().to_string()]);
    Alert { id, at: now, severity, tenant: None, about }
}

pub(super) fn of_vitals(vitals: &Vitals, limits: &Limits, now: Timestamp) -> Vec<Alert> {
    let latency = vitals.p95_ms.filter(|p95| *p95 > limits.p95_ms).map(|p95_ms| {
        let about = About::GatewayLatency { p95_ms, limit_ms: limits.p95_ms };
        of_gateway("latency", Severity::Warning, now, about)
    });
    let fallback = vitals.fallback_ppm.filter(|ppm| *ppm > limits.fallback_ppm).map(|rate_ppm| {
        let about = About::FallbackRate { rate_ppm, limit_ppm: limits.fallback_ppm };
        of_gateway("fallback", Severity::Warning, now, about)
    });
    let waiting = vitals.dead_letters.iter().filter(|(_, waiting)| *waiting > 0);
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
    /// Compares the last whole hour of each tenant and of all, once an hour.
    pub(super) async fn of_cost(&self, now: Timestamp) -> Result<Vec<Alert>, StoreError> {
        let hour = now.hour() - 1;
        let is_due = now.minute() % 60 >= SETTLED && self.last_compared() != Some(hour);
        if !is_due {
            return Ok(Vec::new());
        }
        let costs = self.costs(hour).await?;
        *self.compared.lock().unwrap_or_else(PoisonError::into_inner) = Some(hour);
        let alerts = costs.into_iter().filter_map(|(tenant, (first, costs))| {
            let cost = |hour: i64| costs.get(&hour).copied().unwrap_or(NanoUsd::ZERO);
            let (min_spend, limits) = (self.limits.variance.min_spend, self.limits.variance);
            (cost(hour) >= min_spend).then(|| variance(tenant.as_deref(), hour, first, cost, limits, now))?
        });
        Ok(alerts.collect())
    }

    fn last_compared(&self) -> Option<i64> {
        *self.compared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the hours cost that `hour` may be compared with, and the first hour with a key, by tenant and
    /// for all together.
    async fn costs(
        &self,
        hour: i64,
    ) -> Result<BTreeMap<Option<String>, (i64, BTreeMap<i64, NanoUsd>)>, StoreError> {
        let mut costs: BTreeMap<Option<String>, (i64, BTreeMap<i64, NanoUsd>)> = BTreeMap::new();
        let keys = self.keys.list().await?;
        for some in keys.chunks(AT_ONCE) {
            let read = some.iter().map(|record| async move {
                let before =
                    self.rollups.of_key(&record.id, hour - WEEK_HOURS..hour - WEEK_HOURS + 1).await?;
                let now = self.rollups.of_key(&record.id, hour - 1..hour + 1).await?;
                Ok::<_, StoreError>((record, before.into_iter().chain(now)))
            });
            for (record, rollups) in try_join_all(read).await? {
                let spent: Vec<(i64, NanoUsd)> = rollups.map(|rollup| (rollup.hour, rollup.cost())).collect();
                for whose in [None, Some(record.tenant.clone())] {
                    let (first, hours) = costs.entry(whose).or_insert((i64::MAX, BTreeMap::new()));
                    *first = (*first).min(record.created_at.hour());
                    for (hour, cost) in &spent {
                        let sum = hours.entry(*hour).or_insert(NanoUsd::ZERO);
                        *sum = NanoUsd::from_nano(sum.nano().saturating_add(cost.nano()));
                    }
                }
            }
        }
        Ok(costs)
    }
}
