//! SWEEP: ends the holds of those who died, so that what is held is billed or given back.
//!
//! Any number may sweep at once, and too early as well: what a sweep estimates, a late settlement
//! corrects. Source: hold protocol, step 5, ARCHITECTURE.md.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use serde::Serialize;
use tokio::time::{Instant, timeout};

use super::settle::close_all;
use crate::domain::counter::{Counter, CounterKey, Hold};
use crate::domain::id::AttemptId;
use crate::domain::ledger::LedgerLine;
use crate::domain::settlement::{Verdict, View, estimate, verdict, view, void};
use crate::domain::time::Timestamp;
use crate::ports::{Counters, LineMark, ListCounters, Mark, PutLine, StoreError, WriteLedger};

/// How long after its time a hold is swept: the clocks of a fleet differ, and a settlement may
/// still be on its way.
pub const MARGIN: Duration = Duration::from_secs(30);
/// Holds that a refused request sweeps before it asks again, and how long they may take.
const FREED_MAX: usize = 4;
const FREEING: Duration = Duration::from_millis(500);
/// Holds that a pass sweeps side by side.
const BATCH: usize = 16;

/// A hold whose holder should have settled, and where it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    pub id: AttemptId,
    pub counter: CounterKey,
    pub hold: Hold,
}

impl Stale {
    /// The line that settles it.
    fn line(&self) -> LineMark {
        LineMark { request: self.hold.facts.request, id: self.id }
    }
}

/// How a sweep ended a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    /// There was a line already.
    Settled,
    /// It was never dispatched.
    Voided,
    /// It may have been dispatched, and is charged in full until it is known better.
    Estimated,
}

/// The stale holds of one counter.
pub fn stale(key: &CounterKey, counter: &Counter, now: Timestamp) -> Vec<Stale> {
    let late = counter.live.iter().filter(|(_, hold)| hold.expires + MARGIN < now);
    late.map(|(id, hold)| Stale { id: *id, counter: key.clone(), hold: hold.clone() }).collect()
}

/// Ends one hold. Safe to repeat, and to do at any time.
///
/// # Errors
/// [`StoreError`] when a step did not succeed; sweeping again finishes it.
pub async fn sweep(
    counters: &dyn Counters,
    ledger: &dyn WriteLedger,
    stale: &Stale,
    now: Timestamp,
) -> Result<Swept, StoreError> {
    let (line, swept) = match ledger.find(&stale.hold.facts.tenant, stale.line()).await? {
        Some(line) => (line, Swept::Settled),
        None => post(counters, ledger, stale, now).await?,
    };
    // At whatever line stands: a sweep knows nothing that could correct one.
    close_all(counters, &line).await?;
    Ok(swept)
}

/// Posts what the counters of the hold lead to, and returns the line that won.
async fn post(
    counters: &dyn Counters,
    ledger: &dyn WriteLedger,
    stale: &Stale,
    now: Timestamp,
) -> Result<(LedgerLine, Swept), StoreError> {
    let looks = stale.hold.items.iter().map(|part| look(counters, stale, &part.counter));
    let mut views = try_join_all(looks).await?;
    let (line, swept) = loop {
        match verdict(&views) {
            Verdict::Void => break (void(stale.id, &stale.hold, now), Swept::Voided),
            Verdict::Estimate => break (estimate(stale.id, &stale.hold, now), Swept::Estimated),
            Verdict::Fence(at) => {
                let missing = stale.hold.items.get(at).zip(views.get_mut(at));
                let (part, view) = missing.expect("a verdict names one of the views");
                let fenced = counters.fence(&part.counter, stale.id).await?;
                *view = if fenced { View::Fenced } else { View::Live };
            }
        }
    };
    match ledger.put(&line).await? {
        PutLine::Inserted => Ok((line, swept)),
        PutLine::Existing(standing) => Ok((*standing, Swept::Settled)),
    }
}

/// The hold itself was read where it was found.
async fn look(counters: &dyn Counters, stale: &Stale, key: &CounterKey) -> Result<View, StoreError> {
    match *key == stale.counter {
        true => Ok(View::Live),
        false => Ok(view(counters.read(key).await?.as_ref(), stale.id)),
    }
}

/// Sweeps the largest few of `stale` for a request that they leave no room. True when any ended.
pub async fn free(
    counters: &dyn Counters,
    ledger: &dyn WriteLedger,
    mut stale: Vec<Stale>,
    now: Timestamp,
) -> bool {
    stale.sort_by_key(|stale| std::cmp::Reverse(stale.hold.amount));
    stale.truncate(FREED_MAX);
    let sweeps = stale.iter().map(|stale| timeout(FREEING, sweep(counters, ledger, stale, now)));
    join_all(sweeps).await.iter().any(|swept| matches!(swept, Ok(Ok(_))))
}

/// What a pass over all counters came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Counters seen with open holds.
    pub counters: usize,
    /// Holds that were ended, by how.
    pub settled: usize,
    pub voided: usize,
    pub estimated: usize,
    /// Holds that the next pass meets again.
    pub failed: usize,
    /// Whether the listing was seen to its end.
    pub finished: bool,
}

impl Tally {
    fn count(&mut self, swept: Result<Swept, StoreError>) {
        match swept {
            Ok(Swept::Settled) => self.settled += 1,
            Ok(Swept::Voided) => self.voided += 1,
            Ok(Swept::Estimated) => self.estimated += 1,
            Err(_) => self.failed += 1,
        }
    }
}

/// What the periodic sweep needs.
#[derive(Clone, Copy)]
pub struct Stores<'a> {
    pub in_use: &'a dyn ListCounters,
    pub counters: &'a dyn Counters,
    pub ledger: &'a dyn WriteLedger,
}

/// Sweeps every counter from `from` on, until the listing ends or `until` has come and the batch at
/// hand is done, and shows what it saw, as it was before. Returns where the next pass should begin: none is the beginning.
///
/// # Errors
/// [`StoreError`] when the counters cannot be listed. A hold that cannot be swept is counted.
pub async fn pass(
    stores: &Stores<'_>,
    from: Option<Mark>,
    now: Timestamp,
    until: Instant,
    mut seen: impl FnMut(&CounterKey, &Counter),
) -> Result<(Tally, Option<Mark>), StoreError> {
    let (mut tally, mut mark, mut ended) = (Tally::default(), from, HashSet::new());
    loop {
        let page = stores.in_use.in_use(now, mark.as_ref()).await?;
        tally.counters += page.counters.iter().filter(|(_, counter)| !counter.live.is_empty()).count();
        page.counters.iter().for_each(|(key, counter)| seen(key, counter));
        let stale = page.counters.iter().flat_map(|(key, counter)| stale(key, counter, now));
        // A hold shows in each of its counters, and one sweep ends it in all.
        let stale: Vec<Stale> = stale.filter(|stale| ended.insert(stale.id)).collect();
        for (n, batch) in stale.chunks(BATCH).enumerate() {
            if n > 0 && Instant::now() >= until {
                // This page again: sweeping twice does no harm.
                return Ok((tally, mark));
            }
            let sweeps = batch.iter().map(|stale| sweep(stores.counters, stores.ledger, stale, now));
            join_all(sweeps).await.into_iter().for_each(|swept| tally.count(swept));
        }
        mark = page.next;
        tally.finished = mark.is_none();
        if tally.finished || Instant::now() >= until {
            return Ok((tally, mark));
        }
    }
}
