//! The `alerts` function: what has to happen once a minute whether anybody calls or not. It sweeps
//! the holds of those who died.

pub mod wiring;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use shared::app::sweep::{Stores, Tally, pass};
use shared::ports::{Clock, Counters, FindOpenHolds, Mark, StoreError, WriteLedger};
use tokio::time::Instant;

/// How often a pass begins.
pub const EVERY: Duration = Duration::from_secs(60);
/// How long a pass may take; the function's timeout leaves it time to finish its last batch.
const PASS: Duration = Duration::from_secs(40);

/// What the function needs.
pub struct Alerts {
    open: Arc<dyn FindOpenHolds>,
    counters: Arc<dyn Counters>,
    ledger: Arc<dyn WriteLedger>,
    clock: Arc<dyn Clock>,
    /// Where the last pass had to stop. One that is lost costs another look at the first counters.
    mark: Mutex<Option<Mark>>,
}

impl Alerts {
    pub fn new(
        open: Arc<dyn FindOpenHolds>,
        counters: Arc<dyn Counters>,
        ledger: Arc<dyn WriteLedger>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Alerts { open, counters, ledger, clock, mark: Mutex::default() }
    }

    fn swap_mark(&self, next: Option<Mark>) -> Option<Mark> {
        std::mem::replace(&mut self.mark.lock().unwrap_or_else(PoisonError::into_inner), next)
    }
}

/// One pass, begun where the last one stopped.
///
/// # Errors
/// [`StoreError`] when the counters cannot be listed; the next pass begins at the first of them.
pub async fn sweep(alerts: &Alerts) -> Result<Tally, StoreError> {
    let stores = Stores {
        open: alerts.open.as_ref(),
        counters: alerts.counters.as_ref(),
        ledger: alerts.ledger.as_ref(),
    };
    let (now, until) = (alerts.clock.now(), Instant::now() + PASS);
    let (tally, mark) = pass(&stores, alerts.swap_mark(None), now, until).await?;
    alerts.swap_mark(mark);
    let Tally { counters, settled, voided, estimated, failed, finished } = tally;
    match failed {
        0 => tracing::info!(counters, settled, voided, estimated, finished, "swept"),
        _ => tracing::warn!(counters, settled, voided, estimated, failed, finished, "swept in part"),
    }
    Ok(tally)
}

/// One invocation by the schedule, whose event says nothing of interest.
///
/// # Errors
/// When the counters cannot be listed, so that the failure shows in the function's own metric.
pub async fn handle(alerts: &Alerts) -> Result<Value, lambda_runtime::Error> {
    let tally = sweep(alerts).await.map_err(|error| error.to_string())?;
    Ok(json!({ "swept": tally }))
}
