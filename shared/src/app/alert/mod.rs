//! Telling the operator: what was seen is raised in the outbox, and what is in the outbox is delivered.
//!
//! Both may be done by any number at once and at any time. An alert has the id of what it is about, so it
//! is raised once, and a delivery is claimed before it is sent.

mod budgets;
mod clear;
mod deliver;
mod gateway;

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::try_join_all;
use tokio::time::{Instant, timeout_at};

pub use budgets::Seen;
pub use deliver::Delivered;

use self::clear::Measured;
use super::sweep::Tally;
use crate::config::Config;
use crate::domain::alert::{Alert, AlertId, Route, Standing, VarianceLimits};
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;
use crate::ports::{FindPolicy, ManageKeys, Outbox, ReadMetrics, ReadRollups, SendAlert, StoreError};

/// From when on alerts are looked at again: those of a budget of a month are over after it.
const LOOK_BACK: std::time::Duration = std::time::Duration::from_secs(35 * 86_400);
/// Of a pass, what is kept for telling.
const DELIVERY: std::time::Duration = std::time::Duration::from_secs(10);
/// Alerts that are raised side by side.
const AT_ONCE: usize = 16;
/// Alerts that are remembered as raised, so that what goes on standing is not written each minute.
const KNOWN_MAX: usize = 20_000;

/// What is watched, by the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Shares of a budget, in millionths, ascending.
    pub thresholds_ppm: Vec<u32>,
    pub variance: VarianceLimits,
    /// Milliseconds.
    pub p95_ms: u64,
    /// Millionths of the requests.
    pub fallback_ppm: u32,
}

impl Limits {
    pub fn of(config: &Config) -> Self {
        let alerts = &config.alerts;
        let min_spend = NanoUsd::from_nano(alerts.min_spend_nano);
        Limits {
            thresholds_ppm: config.billing.alert_thresholds_ppm.clone(),
            variance: VarianceLimits { rise_ppm: alerts.cost_variance_ppm, min_spend },
            p95_ms: alerts.p95_ms,
            fallback_ppm: alerts.fallback_rate_ppm,
        }
    }
}

/// What watching needs.
pub struct Watch {
    pub outbox: Arc<dyn Outbox>,
    pub keys: Arc<dyn ManageKeys>,
    pub policies: Arc<dyn FindPolicy>,
    pub rollups: Arc<dyn ReadRollups>,
    /// None where nothing measures.
    pub metrics: Option<Arc<dyn ReadMetrics>>,
    pub sinks: Arc<dyn SendAlert>,
    pub routes: Vec<Route>,
    pub limits: Limits,
    known: Mutex<HashSet<AlertId>>,
    /// The last hour whose cost was compared.
    compared: Mutex<Option<i64>>,
}

/// What a pass came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Told {
    pub raised: usize,
    pub delivered: usize,
    pub failed: usize,
}

impl Watch {
    #[expect(clippy::too_many_arguments, reason = "each is a port of its own, and named where it is given")]
    pub fn new(
        outbox: Arc<dyn Outbox>,
        keys: Arc<dyn ManageKeys>,
        policies: Arc<dyn FindPolicy>,
        rollups: Arc<dyn ReadRollups>,
        metrics: Option<Arc<dyn ReadMetrics>>,
        sinks: Arc<dyn SendAlert>,
        routes: Vec<Route>,
        limits: Limits,
    ) -> Self {
        let (known, compared) = (Mutex::default(), Mutex::default());
        Watch { outbox, keys, policies, rollups, metrics, sinks, routes, limits, known, compared }
    }

    /// Raises what `seen` and the figures of the last minutes say, clears what is over, and tells the sinks
    /// until nothing is due or `until` has come. What is raised already is told though the rest of it
    /// fails or takes too long; the next pass makes up for that.
    ///
    /// # Errors
    /// The first [`StoreError`] of any of it.
    pub async fn pass(
        &self,
        seen: Seen,
        swept: &Tally,
        now: Timestamp,
        until: Instant,
        clock: &dyn crate::ports::Clock,
    ) -> Result<Told, StoreError> {
        let raised = AtomicUsize::new(0);
        let measured = self.measured(now).await;
        let look = self.look(&seen, swept, &measured, now, &raised);
        let looked = timeout_at(until - DELIVERY, look).await.unwrap_or_else(|_| {
            tracing::warn!("there was not time enough to look at everything");
            Ok(())
        });
        let open = clear::clear(self, &seen, &measured, now).await?;
        let delivered = deliver::deliver(self, open, clock, until).await?;
        let raised = raised.into_inner();
        looked.map(|()| Told { raised, delivered: delivered.sent, failed: delivered.failed })
    }

    /// Each part of it is looked at though another one fails.
    async fn look(
        &self,
        seen: &Seen,
        swept: &Tally,
        measured: &Measured,
        now: Timestamp,
        raised: &AtomicUsize,
    ) -> Result<(), StoreError> {
        let gateway = async {
            for alert in gateway::of_gateway_itself(measured, &self.limits, now) {
                raised.fetch_add(usize::from(self.raise_anew(alert).await?), Ordering::Relaxed);
            }
            self.raise_all(gateway::of_sweep(swept, now).into_iter().collect(), raised).await
        };
        let gateway = gateway.await;
        let budgets = async {
            let standings = seen.standings(self, now).await?;
            let alerts = standings.iter().flat_map(|standing| self.of_budget(standing, now));
            self.raise_all(alerts.collect(), raised).await
        };
        let budgets = budgets.await;
        let cost = async { self.raise_all(self.of_cost(now).await?, raised).await };
        gateway.and(budgets).and(cost.await)
    }

    fn of_budget(&self, standing: &Standing, now: Timestamp) -> Vec<Alert> {
        let mut alerts = standing.crossings(&self.limits.thresholds_ppm, now);
        alerts.extend(standing.forecast(now));
        alerts
    }

    async fn raise_all(&self, alerts: Vec<Alert>, raised: &AtomicUsize) -> Result<(), StoreError> {
        for some in alerts.chunks(AT_ONCE) {
            let new = try_join_all(some.iter().map(|alert| self.raise(alert))).await?;
            raised.fetch_add(new.into_iter().filter(|is_new| *is_new).count(), Ordering::Relaxed);
        }
        Ok(())
    }

    /// True when nobody had raised it before.
    async fn raise(&self, alert: &Alert) -> Result<bool, StoreError> {
        if self.known().contains(&alert.id) {
            return Ok(false);
        }
        let is_new = self.outbox.raise(alert).await?;
        if is_new {
            tracing::info!(alert = alert.id.as_str(), title = alert.title(), "an alert is raised");
        }
        let mut known = self.known();
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(alert.id.clone());
        Ok(is_new)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashSet<AlertId>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
