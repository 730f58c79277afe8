//! What EventBridge does in AWS: the function `alerts`, once a minute. And what a function does before it
//! freezes.

use std::sync::Arc;
use std::time::Duration;

use alerts::Alerts;
use shared::app::alert::{Limits, Watch};
use shared::client::{Reach, client};
use shared::config::Config;
use shared::ports::{Clock, Observe};
use shared::sinks::{Sinks, Surroundings, routes};
use shared::telemetry::Recorder;
use tokio::time::{MissedTickBehavior, interval};

use super::gateway::{Stores, surroundings};

/// Runs for as long as the process lives, at first at once: a process that was killed has left its holds
/// to the next one.
pub(super) async fn every_minute(alerts: Alerts) {
    let mut minutes = interval(alerts::EVERY);
    minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        minutes.tick().await;
        if let Err(error) = alerts::run(&alerts).await {
            tracing::warn!(%error, "the sweep and the alerts of this minute were not finished");
        }
    }
}

/// What is watched, and the sinks of the configuration.
///
/// # Errors
/// When the HTTP client cannot be built.
pub(super) fn watch(
    config: &Config,
    stores: &Stores,
    recorder: Arc<Recorder>,
    clock: &Arc<dyn Clock>,
) -> Result<Watch, String> {
    let around = surroundings(clock);
    let around = Surroundings {
        http: client(Reach::Any).map_err(|error| error.to_string())?,
        secrets: around.secrets,
        clock: around.clock,
        account: around.account,
        sns_endpoint: None,
    };
    Ok(Watch::new(
        Arc::clone(&stores.outbox),
        Arc::clone(&stores.manage_keys),
        Arc::clone(&stores.find_policy),
        Arc::clone(&stores.read_rollups),
        Some(recorder),
        Arc::new(Sinks::new(&config.alerts, around)),
        routes(&config.alerts),
        Limits::of(config),
    ))
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
