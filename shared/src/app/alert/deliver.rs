//! Tells the sinks what is due.

use std::slice::from_ref;

use futures_util::future::join_all;
use tokio::time::{Duration, Instant};

use super::{LOOK_BACK, Watch};
use crate::domain::alert::{Entry, Route, Telling};
use crate::domain::time::Timestamp;
use crate::ports::{Clock, StoreError};

/// How often what failed a moment ago is looked at again within a pass.
const PAUSE: Duration = Duration::from_secs(1);
/// What is due so soon after a failure is waited for.
const SOON: Duration = Duration::from_secs(60);

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    pub sent: usize,
    /// Tries that failed.
    pub failed: usize,
}

/// Tells what is due of `open`, and what becomes due, until nothing waits that failed or `until` has come.
pub(super) async fn deliver(
    watch: &Watch,
    open: Vec<Entry>,
    clock: &dyn Clock,
    until: Instant,
) -> Result<Delivered, StoreError> {
    let (mut delivered, mut entries) = (Delivered::default(), open);
    loop {
        let now = clock.now();
        let sinks = watch.routes.iter().map(|route| tell_all(watch, clock, route, &entries, until));
        let mut failed = 0;
        for told in join_all(sinks).await {
            let told = told?;
            delivered.sent += told.sent;
            failed += told.failed;
        }
        delivered.failed += failed;
        let is_soon = failed > 0 || entries.iter().any(|entry| waits(entry, &watch.routes, now));
        if !is_soon || Instant::now() + PAUSE >= until {
            return Ok(delivered);
        }
        tokio::time::sleep(PAUSE).await;
        entries = watch.outbox.open_alerts(clock.now() - LOOK_BACK).await?;
    }
}

/// Whether a delivery failed and is due again soon.
fn waits(entry: &Entry, routes: &[Route], now: Timestamp) -> bool {
    let has_failed = entry.deliveries.values().any(|delivery| delivery.failures > 0 && !delivery.given_up);
    has_failed && !entry.due(routes, now + SOON).is_empty()
}

/// Tells one sink, one alert after the other: who dies leaves a single one that was sent and not noted. A
/// sink that is slow keeps no other waiting.
async fn tell_all(
    watch: &Watch,
    clock: &dyn Clock,
    route: &Route,
    entries: &[Entry],
    until: Instant,
) -> Result<Delivered, StoreError> {
    let mut delivered = Delivered::default();
    for entry in entries {
        if let Some((claimed, telling)) = claim(watch, clock, entry, route).await? {
            match tell(watch, clock, claimed, &route.sink, telling).await? {
                true => delivered.sent += 1,
                false => delivered.failed += 1,
            }
            if Instant::now() >= until {
                break;
            }
        }
    }
    Ok(delivered)
}

/// The entry as it was claimed for the sink; none where it need not be told, or somebody else has it.
async fn claim(
    watch: &Watch,
    clock: &dyn Clock,
    entry: &Entry,
    route: &Route,
) -> Result<Option<(Entry, Telling)>, StoreError> {
    let mut standing = entry.clone();
    loop {
        let now = clock.now();
        let Some((_, telling)) = standing.due(from_ref(route), now).pop() else { return Ok(None) };
        if let Some(claimed) = change(watch, &standing, |entry| entry.claim(&route.sink, now)).await? {
            return Ok(Some((claimed, telling)));
        }
        // Mostly by another sink, which is told at the same time.
        let Some(changed) = watch.outbox.find_alert(&standing.alert.id).await? else { return Ok(None) };
        standing = changed;
    }
}

/// Sends, and notes what came of it: true where the sink took it.
async fn tell(
    watch: &Watch,
    clock: &dyn Clock,
    claimed: Entry,
    sink: &str,
    telling: Telling,
) -> Result<bool, StoreError> {
    let sent = watch.sinks.send(sink, &claimed.alert, telling).await;
    let alert = claimed.alert.id.as_str();
    match &sent {
        Ok(()) => tracing::info!(alert, sink, ?telling, "an alert is delivered"),
        Err(error) => tracing::warn!(alert, sink, ?telling, ?error, "an alert is not delivered"),
    }
    let mut standing = claimed;
    loop {
        let now = clock.now();
        let noted = change(watch, &standing, |entry| {
            entry.note(sink, telling, &sent, now);
            entry.done = entry.cleared_at.is_some() && !entry.is_open(&watch.routes);
        });
        if noted.await?.is_some() {
            return Ok(sent.is_ok());
        }
        match watch.outbox.find_alert(&standing.alert.id).await? {
            Some(changed) => standing = changed,
            None => return Ok(sent.is_ok()),
        }
    }
}

/// The entry after the change; none where it was changed by somebody else.
async fn change(
    watch: &Watch,
    entry: &Entry,
    make: impl FnOnce(&mut Entry),
) -> Result<Option<Entry>, StoreError> {
    let mut next = entry.clone();
    make(&mut next);
    let is_swapped = watch.outbox.swap_alert(&next).await?;
    next.version = next.version.saturating_add(1);
    Ok(is_swapped.then_some(next))
}
