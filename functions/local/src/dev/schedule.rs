//! What EventBridge does in AWS: the sweep, once a minute.

use alerts::Alerts;
use tokio::time::{MissedTickBehavior, interval};

/// Sweeps for as long as the process lives, at first at once: a process that was killed has left
/// its holds to the next one.
pub(super) async fn sweep(alerts: Alerts) {
    let mut minutes = interval(alerts::EVERY);
    minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        minutes.tick().await;
        if let Err(error) = alerts::sweep(&alerts).await {
            tracing::warn!(%error, "the sweep could not list the counters");
        }
    }
}
