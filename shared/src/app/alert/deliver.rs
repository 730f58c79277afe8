//! Tells the sinks what is due.

use futures_util::future::join_all;
use tokio::time::{Duration, Instant};

use super::{LOOK_BACK, Watch};
use crate::domain::alert::{Entry, Telling};
use crate::domain::time::Timestamp;
use crate::ports::{Clock, StoreError};

/// Deliveries that are under way at a time.
const AT_ONCE: usize = 8;
/// How often what failed a moment ago is looked at again within a pass.
const PAUSE: Duration = Duration::from_secs(1);

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    pub sent: usize,
    /// Tries that failed.
    pub failed: usize,
}

/// Tells what is due, and what becomes due, until nothing waits that failed or `until` has come.
pub(super) async fn deliver(
    watch: &Watch,
    clock: &dyn Clock,
    until: Instant,
) -> Result<Delivered, StoreError> {
    let mut delivered = Delivered::default();
    loop {
        let now = clock.now();
        let entries = watch.outbox.open_alerts(now - LOOK_BACK).await?;
        let due: Vec<(Entry, String, Telling)> = entries
            .iter()
            .flat_map(|entry| entry.due(&watch.routes, now).into_iter().map(move |due| (entry, due)))
            .map(|(entry, (route, telling))| (entry.clone(), route.sink.clone(), telling))
            .collect();
        for some in due.chunks(AT_ONCE) {
            let tells = some.iter().map(|(entry, sink, telling)| tell(watch, clock, entry, sink, *telling));
            for told in join_all(tells).await {
                match told? {
                    Some(true) => delivered.sent += 1,
                    Some(false) => delivered.failed += 1,
                    None => {}
                }
            }
            if Instant::now() >= until {
                return Ok(delivered);
            }
        }
        let soon = next(&entries, watch, clock.now(), &due);
        if !soon || Instant::now() + PAUSE >= until {
            return Ok(delivered);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether it is worth to wait: something was told just now, since a sink may have more to be told, or a
/// delivery failed and is due again soon.
fn next(entries: &[Entry], watch: &Watch, now: Timestamp, due: &[(Entry, String, Telling)]) -> bool {
    let horizon = now + Duration::from_secs(60);
    !due.is_empty()
        || entries.iter().any(|entry| {
            entry.deliveries.values().any(|delivery| delivery.failures > 0)
                && !entry.due(&watch.routes, horizon).is_empty()
        })
}

/// Claims, sends, notes. None where somebody else has it.
async fn tell(
    watch: &Watch,
    clock: &dyn Clock,
    entry: &Entry,
    sink: &str,
    telling: Telling,
) -> Result<Option<bool>, StoreError> {
    let Some(claimed) = change(watch, entry, |entry| entry.claim(sink, clock.now())).await? else {
        return Ok(None);
    };
    let sent = watch.sinks.send(sink, &claimed.alert, telling).await;
    let alert = claimed.alert.id.as_str();
    match &sent {
        Ok(()) => tracing::info!(alert, sink, ?telling, "an alert is delivered"),
        Err(error) => tracing::warn!(alert, sink, ?telling, ?error, "an alert is not delivered"),
    }
    let mut standing = claimed;
    // Other sinks of the same alert are noted at the same time.
    loop {
        let now = clock.now();
        let noted = change(watch, &standing, |entry| {
            entry.note(sink, telling, &sent, now);
            entry.done = entry.cleared_at.is_some() && !entry.is_open(&watch.routes);
        });
        if noted.await?.is_some() {
            return Ok(Some(sent.is_ok()));
        }
        match watch.outbox.find_alert(&standing.alert.id).await? {
            Some(entry) => standing = entry,
            None => return Ok(Some(sent.is_ok())),
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
