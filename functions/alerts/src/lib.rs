//! The `alerts` function: what has to happen once a minute whether anybody calls or not. It sweeps the
//! holds of those who died, and tells the operator what there is to know.

pub mod wiring;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use shared::app::alert::{Seen, Told, Watch};
use shared::app::sweep::{Stores, Tally, pass};
use shared::ports::{Clock, Counters, ListCounters, Mark, StoreError, WriteLedger};
use tokio::time::Instant;

/// How often a pass begins.
pub const EVERY: Duration = Duration::from_secs(60);
/// How long the sweep may take, and all of it; the function's timeout leaves it time to finish its last
/// batch.
const SWEEP: Duration = Duration::from_secs(30);
const PASS: Duration = Duration::from_secs(45);

/// What the function needs.
pub struct Alerts {
    in_use: Arc<dyn ListCounters>,
    counters: Arc<dyn Counters>,
    ledger: Arc<dyn WriteLedger>,
    clock: Arc<dyn Clock>,
    watch: Watch,
    /// Where the last pass had to stop. One that is lost costs another look at the first counters.
    mark: Mutex<Option<Mark>>,
}

impl Alerts {
    pub fn new(
        in_use: Arc<dyn ListCounters>,
        counters: Arc<dyn Counters>,
        ledger: Arc<dyn WriteLedger>,
        clock: Arc<dyn Clock>,
        watch: Watch,
    ) -> Self {
        Alerts { in_use, counters, ledger, clock, watch, mark: Mutex::default() }
    }

    fn swap_mark(&self, next: Option<Mark>) -> Option<Mark> {
        std::mem::replace(&mut self.mark.lock().unwrap_or_else(PoisonError::into_inner), next)
    }
}

/// What a pass came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    pub swept: Tally,
    pub told: Told,
}

/// One pass over the counters, begun where the last one stopped: one listing serves the sweep and the
/// thresholds. Then the operator is told, also where the counters cannot be listed.
///
/// # Errors
/// The first [`StoreError`] of any of it; the next pass makes up for it.
pub async fn run(alerts: &Alerts) -> Result<Passed, StoreError> {
    let (now, begun) = (alerts.clock.now(), Instant::now());
    let (listed, (swept, seen)) = match sweep(alerts, now, begun + SWEEP).await {
        Ok(found) => (Ok(()), found),
        Err(error) => (Err(error), Default::default()),
    };
    let told = alerts.watch.pass(seen, &swept, now, begun + PASS, alerts.clock.as_ref()).await?;
    let Told { raised, delivered, failed } = told;
    match failed {
        0 => tracing::info!(raised, delivered, "watched"),
        _ => tracing::warn!(raised, delivered, failed, "alerts could not be delivered"),
    }
    listed.map(|()| Passed { swept, told })
}

async fn sweep(
    alerts: &Alerts,
    now: shared::domain::time::Timestamp,
    until: Instant,
) -> Result<(Tally, Seen), StoreError> {
    let stores = Stores {
        in_use: alerts.in_use.as_ref(),
        counters: alerts.counters.as_ref(),
        ledger: alerts.ledger.as_ref(),
    };
    let mut seen = Seen::default();
    let see = |key: &_, counter: &_| seen.add(key, counter);
    let (tally, mark) = pass(&stores, alerts.swap_mark(None), now, until, see).await?;
    alerts.swap_mark(mark);
    let Tally { counters, settled, voided, estimated, failed, finished } = tally;
    match failed {
        0 => tracing::info!(counters, settled, voided, estimated, finished, "swept"),
        _ => tracing::warn!(counters, settled, voided, estimated, failed, finished, "swept in part"),
    }
    Ok((tally, seen))
}

/// One invocation by the schedule, whose event says nothing of interest.
///
/// # Errors
/// As [`run`], so that the failure shows in the function's own metric.
pub async fn handle(alerts: &Alerts) -> Result<Value, lambda_runtime::Error> {
    let Passed { swept, told } = run(alerts).await.map_err(|error| error.to_string())?;
    Ok(json!({ "swept": swept, "told": told }))
}
