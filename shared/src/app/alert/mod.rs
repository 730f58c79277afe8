//! Telling the operator: what was seen is raised in the outbox, and what is in the outbox is delivered.
//!
//! Both may be done by any number at once and at any time. An alert has the id of what it is about, so it
//! is raised once, and a delivery is claimed before it is sent.

mod budgets;
mod clear;
mod deliver;
mod gateway;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

pub use budgets::Seen;
pub use deliver::Delivered;

use super::sweep::Tally;
use crate::config::Config;
use crate::domain::alert::{Alert, AlertId, Route, Standing, VarianceLimits};
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;
use crate::ports::{FindPolicy, ManageKeys, Outbox, ReadMetrics, ReadRollups, SendAlert, StoreError, Vitals};

/// From when on alerts are looked at again: those of a budget of a month are over after it.
const LOOK_BACK: std::time::Duration = std::time::Duration::from_secs(35 * 86_400);
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
    /// until nothing is due or `until` has come.
    ///
    /// # Errors
    /// [`StoreError`] when a step did not succeed; the next pass makes up for it.
    pub async fn pass(
        &self,
        seen: Seen,
        swept: &Tally,
        now: Timestamp,
        until: Instant,
        clock: &dyn crate::ports::Clock,
    ) -> Result<Told, StoreError> {
        let standings = seen.standings(self, now).await?;
        let vitals = self.vitals(now).await;
        let mut alerts: Vec<Alert> =
            standings.iter().flat_map(|standing| self.of_budget(standing, now)).collect();
        alerts.extend(vitals.iter().flat_map(|vitals| gateway::of_vitals(vitals, &self.limits, now)));
        alerts.extend(gateway::of_sweep(swept, now));
        alerts.extend(self.of_cost(now).await?);
        let mut told = Told::default();
        for alert in &alerts {
            told.raised += usize::from(self.raise(alert).await?);
        }
        let open = clear::clear(self, &standings, vitals.as_ref(), now).await?;
        let delivered = deliver::deliver(self, open, clock, until).await?;
        Ok(Told { delivered: delivered.sent, failed: delivered.failed, ..told })
    }

    /// None where it cannot be told, which is no reason to keep other alerts back.
    async fn vitals(&self, now: Timestamp) -> Option<Vitals> {
        let vitals = self.metrics.as_ref()?.vitals(now).await;
        vitals.inspect_err(|error| tracing::warn!(%error, "how the gateway has been is not known")).ok()
    }

    fn of_budget(&self, standing: &Standing, now: Timestamp) -> Vec<Alert> {
        let mut alerts = standing.crossings(&self.limits.thresholds_ppm, now);
        alerts.extend(standing.forecast(now));
        alerts
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
