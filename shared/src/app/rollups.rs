//! Rollups: what a partition of the ledger holds is folded whole and written in the place of what
//! was folded before.
//!
//! Two recomputations of one partition may run at once, and neither reads a snapshot. The store
//! keeps, for each key, the rollup with the greater version, and the one that saw every line has
//! the greatest that there can be. A recomputation that sees every line always comes: each write of
//! a line makes a record, at least one recomputation begins after the last record, and its reads are
//! strongly consistent.

use std::collections::BTreeSet;

use futures_util::future::{join_all, try_join_all};
use tokio::time::Instant;

use super::anomaly::{Recent, Watch};
use crate::domain::money::MoneyError;
use crate::domain::partition::Partition;
use crate::domain::rollup::Fold;
use crate::domain::time::Timestamp;
use crate::ports::{ListKeys, ReadLedger, ReadRollups, StoreError, WriteRollups};

/// Partitions that are recomputed side by side, and rollups that are written so.
const AT_ONCE: usize = 8;

/// The stream keeps its records for a day.
const LEAP_HOURS: i64 = 23;

/// What recomputing needs.
#[derive(Clone, Copy)]
pub struct Stores<'a> {
    pub ledger: &'a dyn ReadLedger,
    pub rollups: &'a dyn WriteRollups,
    /// Judges the keys that were used in the last minute; none where nobody watches.
    pub watch: Option<&'a Watch>,
}

/// Folds one partition again. Safe to repeat, and to do at any time.
///
/// # Errors
/// [`StoreError`] when a step did not succeed; recomputing again finishes it.
pub async fn recompute(stores: &Stores<'_>, partition: &Partition) -> Result<(), StoreError> {
    let mut fold = Fold::default();
    let mut recent = stores.watch.map(|watch| Recent::new(watch.clock.now()));
    let mut from = None;
    loop {
        let page = stores.ledger.page(partition, from.as_ref()).await?;
        page.lines.iter().try_for_each(|line| fold.add(line)).map_err(too_much)?;
        if let Some(recent) = &mut recent {
            page.lines.iter().for_each(|line| recent.add(line));
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let folded = fold.close().map_err(too_much)?;
    for some in folded.rollups.chunks(AT_ONCE) {
        try_join_all(some.iter().map(|rollup| stores.rollups.put(rollup))).await?;
    }
    try_join_all(folded.summaries.iter().map(|summary| stores.rollups.put_summary(summary))).await?;
    if let Some((watch, recent)) = stores.watch.zip(recent) {
        watch.look(partition, &recent, &folded.rollups).await;
    }
    Ok(())
}

/// Folds many partitions again, and returns those for which it failed.
pub async fn recompute_all(stores: &Stores<'_>, dirty: &BTreeSet<Partition>) -> BTreeSet<Partition> {
    let dirty: Vec<&Partition> = dirty.iter().collect();
    let mut failed = BTreeSet::new();
    for some in dirty.chunks(AT_ONCE) {
        let folded = join_all(some.iter().map(|partition| recompute(stores, partition))).await;
        for (partition, folded) in some.iter().zip(folded) {
            if let Err(why) = folded {
                tracing::warn!(%partition, error = %why, "usage of this hour is not recomputed");
                failed.insert((*partition).clone());
            }
        }
    }
    failed
}

/// Notes that requests up to `newest` are folded. Where the note would leap over hours whose records
/// the stream may have dropped by now, they are folded first, as far as `until` allows; the note then
/// says how far that was, and reports read the ledger from there.
///
/// # Errors
/// [`StoreError`]; the next note makes up for it.
pub async fn note(
    stores: &Stores<'_>,
    noted: &dyn ReadRollups,
    keys: &dyn ListKeys,
    newest: Timestamp,
    until: Instant,
) -> Result<(), StoreError> {
    let leap = noted.folded().await?.filter(|at| newest.hour() - at.hour() > LEAP_HOURS);
    let Some(at) = leap else {
        return stores.rollups.note_folded(newest).await;
    };
    let tenants = keys.list().await?.into_iter().map(|record| record.tenant).collect();
    let rebuilt = rebuild(stores, &tenants, at.hour() - 1..newest.hour() + 1, until).await?;
    stores.rollups.note_folded(rebuilt.next.map_or(newest, Timestamp::of_hour)).await
}

/// Hours that were folded again, and where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    pub hours: u64,
    /// The first hour that was not; none when all were.
    pub next: Option<i64>,
}

/// Folds all hours in `from..to` of all `tenants` again, oldest first, until `until` has come. At
/// least one hour is done, so whoever goes on where it stopped comes to the end.
///
/// # Errors
/// [`StoreError`] when an hour could not be folded; the hours before it were.
pub async fn rebuild(
    stores: &Stores<'_>,
    tenants: &BTreeSet<String>,
    hours: std::ops::Range<i64>,
    until: Instant,
) -> Result<Rebuilt, StoreError> {
    let mut done = 0;
    for hour in hours {
        if done > 0 && Instant::now() >= until {
            return Ok(Rebuilt { hours: done, next: Some(hour) });
        }
        let partitions: Vec<Partition> =
            tenants.iter().flat_map(|tenant| Partition::of_hour(tenant, hour)).collect();
        for some in partitions.chunks(AT_ONCE) {
            try_join_all(some.iter().map(|partition| recompute(stores, partition))).await?;
        }
        done += 1;
    }
    Ok(Rebuilt { hours: done, next: None })
}

fn too_much(error: MoneyError) -> StoreError {
    StoreError::Rejected(error.to_string())
}
