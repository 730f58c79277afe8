//! The settle queue and who reads it: at least once, in any order, by processes that die as well.

use std::sync::Arc;
use std::time::Duration;

use shared::app::settle::settle;
use shared::domain::ledger::{LedgerLine, Quality};
use tokio::time::sleep;

use super::wire::Wire;
use super::world::{World, lock};

/// Deliveries before a message is a dead letter.
const RECEIVES_MAX: u32 = 5;
/// The longest that a message lies, in milliseconds.
pub(crate) const LIES_MAX: u64 = 120_000;

/// Takes a message in, and sees to it that it is delivered: once, or more often.
pub(crate) fn accept(world: &Arc<World>, line: &LedgerLine) {
    // It travels as text.
    let text = serde_json::to_string(line).expect("a line is plain JSON");
    let line: LedgerLine = serde_json::from_str(&text).expect("what was written can be read");
    world.tally().queued += 1;
    let copies = if world.dice.chance(world.faults().twice) { 1 + world.dice.within(1..=3) } else { 1 };
    world.tally().redelivered += copies - 1;
    for _ in 0..copies {
        tokio::spawn(receive(Arc::clone(world), line.clone()));
    }
}

/// Tries until it is settled, or until the queue gives it up.
async fn receive(world: Arc<World>, line: LedgerLine) {
    for _ in 0..RECEIVES_MAX {
        sleep(Duration::from_millis(world.dice.magnitude(1, LIES_MAX))).await;
        if deliver(&world, &line).await {
            return;
        }
        world.tally().redelivered += 1;
    }
    lock(&world.dead_letters).push(line);
}

/// One delivery, to a process of its own.
async fn deliver(world: &Arc<World>, line: &LedgerLine) -> bool {
    let wire = Wire { world: Arc::clone(world), process: world.process() };
    let settled = tokio::select! {
        biased;
        () = wire.process.died() => false,
        settled = settle(&wire, &wire, line) => settled.is_ok(),
    };
    if settled {
        check_settled(world, line);
    }
    world.tell(|| format!("queue: {} {}", line.id, if settled { "settled" } else { "comes again" }));
    settled
}

/// A settlement that went well left the line that it came with, or an exact one of somebody else.
fn check_settled(world: &World, line: &LedgerLine) {
    let standing = world.stores.memory.with_books(|_, lines| lines.get(&line.id).map(|line| line.quality));
    let is_settled = standing == Some(Quality::Exact) || standing == Some(line.quality);
    world.books.holds_that(is_settled, "exactly once", || {
        format!("{} was settled as {:?}, and its line is {standing:?}", line.id, line.quality)
    });
}

/// What a provider's invoice corrects: an estimate becomes what was billed.
pub(crate) fn invoice(world: &Arc<World>, estimated: &LedgerLine) {
    if world.plan.overruns || !world.dice.chance(400) {
        return;
    }
    if let Some(exact) = world.books.exact_line(estimated) {
        let (world, after) = (Arc::clone(world), world.dice.millis(0..=60_000));
        tokio::spawn(async move {
            sleep(after).await;
            accept(&world, &exact);
        });
    }
}
