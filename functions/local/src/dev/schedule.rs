//! What EventBridge does in AWS: the sweep, once a minute. And what a function does before it freezes.

use std::sync::Arc;
use std::time::Duration;

use alerts::Alerts;
use shared::ports::Observe;
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

/// Sends telemetry that no request waited for: a server that told the length of a body does not wait
/// for its tail.
pub(super) async fn flush(observer: Arc<dyn Observe>) {
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        observer.flush().await;
    }
}
