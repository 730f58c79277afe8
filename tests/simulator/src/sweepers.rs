//! Sweeps, at any moment: some in time, some by clocks that are far ahead.

use std::sync::Arc;
use std::time::Duration;

use shared::app::sweep::{self, Stores};
use shared::ports::Clock;
use tokio::time::{Instant, sleep};

use super::wire::Wire;
use super::world::World;

/// Sweeps of one world while requests come in, at most.
const SWEEPS_MAX: usize = 8;
/// The time that a pass has.
const PASS: Duration = Duration::from_secs(50);

/// Lets sweeps begin by and by.
pub(crate) fn start(world: &Arc<World>) {
    let rush = u64::try_from(world.plan.rush.as_millis()).unwrap_or(u64::MAX);
    for _ in 0..world.dice.index(SWEEPS_MAX + 1) {
        let after = world.dice.millis(0..=2 * rush + 10_000);
        let ahead = Duration::from_secs(world.dice.pick(&[0, 0, 60, 1_200]));
        begin(world, after, ahead);
    }
}

/// Lets a sweep begin that takes every hold for stale, while its holder is at work.
pub(crate) fn soon(world: &Arc<World>) {
    begin(world, world.dice.millis(0..=300), Duration::from_secs(86_400));
}

fn begin(world: &Arc<World>, after: Duration, ahead: Duration) {
    let world = Arc::clone(world);
    tokio::spawn(async move {
        sleep(after).await;
        pass(&world, ahead).await;
    });
}

/// One pass over all counters, by a process of its own whose clock is `ahead`, besides its skew.
pub(crate) async fn pass(world: &Arc<World>, ahead: Duration) {
    let process = world.process();
    let now = world.clock.skewed(process.skew).now() + ahead;
    let wire = Wire { world: Arc::clone(world), process };
    let stores = Stores { in_use: &wire, counters: &wire, ledger: &wire };
    let until = Instant::now() + PASS;
    let mut from = None;
    loop {
        let passed = tokio::select! {
            biased;
            () = wire.process.died() => return,
            passed = sweep::pass(&stores, from.take(), now, until, |_, _| {}) => passed,
        };
        // What could not be listed or was not finished is left to the next sweep.
        let Ok((ended, next)) = passed else { return };
        world.tell(|| format!("sweep: {ended:?}"));
        let mut tally = world.tally();
        tally.sweeps += u64::from(ended.finished);
        tally.swept += ended.settled as u64;
        tally.voided += ended.voided as u64;
        tally.posted += ended.estimated as u64;
        if next.is_none() || Instant::now() >= until {
            return;
        }
        from = next;
    }
}
