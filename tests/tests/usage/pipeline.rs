//! Whatever becomes of the records of the stream, rollups end as a fold of the whole ledger.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use futures_util::future::join_all;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any};
use proptest::{option, proptest};
use serde_json::{Value, json};

use super::world::{FIRST_HOUR, HOURS, World, Write, estimated, line, record};

/// An outage of the stream loses what was written in these hours.
const OUTAGE: (i64, i64) = (FIRST_HOUR + 2, FIRST_HOUR + 27);
/// How often a record that failed comes again before it goes to the dead letters.
const TRIES: usize = 3;

#[derive(Clone, Debug)]
struct Drawn {
    hour: i64,
    key: usize,
    user: Option<usize>,
    model: usize,
    /// Attempts of one request; all but the last fail.
    attempts: usize,
    /// A sweep posts the last attempt, and its settlement comes late.
    is_late: bool,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    // Half of all lines lie in one hour, so that its partitions have several pages.
    let hour = proptest::prop_oneof![0..HOURS, 0_i64..1].prop_map(|hour| FIRST_HOUR + hour);
    (hour, 0..3_usize, option::of(0..3_usize), 0..3_usize, 1..4_usize, any::<bool>()).prop_map(
        |(hour, key, user, model, attempts, is_late)| Drawn { hour, key, user, model, attempts, is_late },
    )
}

/// The writes in the order they happen; corrections come after everything else.
fn writes(drawn: &[Drawn]) -> Vec<Write> {
    let (mut puts, mut corrections) = (Vec::new(), Vec::new());
    for one in drawn {
        let first = line(puts.len() + 1, one.hour, one.key, one.user, one.model);
        for attempt in 0..one.attempts {
            let mut next = line(puts.len() + 1, one.hour, one.key, one.user, (one.model + attempt) % 3);
            next.request = first.request;
            let is_last = attempt + 1 == one.attempts;
            if is_last && one.is_late {
                puts.push(Write::Put(estimated(&next)));
                corrections.push(Write::Correct(next));
            } else {
                puts.push(Write::Put(next));
            }
        }
    }
    puts.extend(corrections);
    puts
}

/// Puts records anywhere, some of them twice.
fn stirred(world: &World, records: &[Value]) -> Vec<Value> {
    let twice = records.iter().filter(|_| world.jitter.below(4) == 0);
    let mut all: Vec<Value> = records.iter().chain(twice).cloned().collect();
    for at in (1..all.len()).rev() {
        let other = usize::try_from(world.jitter.below(at as u64 + 1)).unwrap_or(0);
        all.swap(at, other);
    }
    all
}

fn batches(world: &World, mut records: Vec<Value>) -> Vec<Vec<Value>> {
    let mut batches = Vec::new();
    while !records.is_empty() {
        let size = usize::try_from(world.jitter.below(40)).unwrap_or(0) + 1;
        let rest = records.split_off(size.min(records.len()));
        batches.push(std::mem::replace(&mut records, rest));
    }
    batches
}

/// As Lambda does: what failed comes again, and in the end to the dead letters.
async fn consume(world: &World, mut batch: Vec<Value>) -> Vec<Value> {
    for _ in 0..TRIES {
        batch = world.deliver(batch).await;
        if batch.is_empty() {
            break;
        }
    }
    batch
}

/// Records on their way.
#[derive(Default)]
struct Stream {
    waiting: Mutex<VecDeque<Value>>,
    is_over: AtomicBool,
}

impl Stream {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Value>> {
        self.waiting.lock().expect("no test panicked with it")
    }

    /// Some records, a few of which will come once more.
    fn take(&self, world: &World) -> Vec<Value> {
        let mut waiting = self.waiting();
        let size = usize::try_from(world.jitter.below(8)).unwrap_or(0) + 1;
        let size = size.min(waiting.len());
        let batch: Vec<Value> = waiting.drain(..size).collect();
        let twice = batch.iter().filter(|_| world.jitter.below(4) == 0);
        waiting.extend(twice.cloned());
        batch
    }

    async fn consume(&self, world: &World) -> Vec<Value> {
        let mut dead = Vec::new();
        loop {
            let batch = self.take(world);
            if batch.is_empty() && self.is_over.load(Ordering::Relaxed) {
                return dead;
            }
            dead.extend(consume(world, batch).await);
            tokio::task::yield_now().await;
        }
    }
}

/// Three consumers take what is being written, so that recomputations overtake each other. Returns
/// the dead letters.
async fn live(world: &World, writes: &[Write]) -> Vec<Value> {
    let is_lost = |write: &Write| (OUTAGE.0..OUTAGE.1).contains(&write.line().partition().hour);
    let stream = Stream::default();
    let writing = async {
        for (at, write) in writes.iter().enumerate() {
            world.write(std::slice::from_ref(write)).await;
            if !is_lost(write) {
                stream.waiting().push_back(record(at, write));
            }
        }
        stream.is_over.store(true, Ordering::Relaxed);
    };
    let consuming = join_all((0..3).map(|_| stream.consume(world)));
    let ((), dead) = futures_util::future::join(writing, consuming).await;
    dead.into_iter().flatten().collect()
}

async fn case(seed: u64, drawn: Vec<Drawn>) {
    let world = World::new(seed).await;
    let writes = writes(&drawn);
    world.may_fail(true);
    let dead = live(&world, &writes).await;
    world.may_fail(false);
    join_all(batches(&world, dead).into_iter().map(|batch| world.deliver(batch))).await;
    world.rebuild(Some(OUTAGE)).await;
    world.assert_equal("after an outage, faults and the redrive of dead letters");
    let all: Vec<Value> = writes.iter().enumerate().map(|(at, write)| record(at, write)).collect();
    let replay = batches(&world, stirred(&world, &all));
    join_all(replay.into_iter().map(|batch| world.deliver(batch))).await;
    world.assert_equal("after a replay of everything");
    world.rebuild(None).await;
    world.assert_equal("after everything was rebuilt");
}

/// Nothing is lost and nothing comes again at the end, so the last write of every rollup counts.
async fn racing(seed: u64, drawn: Vec<Drawn>) {
    let world = World::new(seed).await;
    let drawn: Vec<Drawn> = drawn.into_iter().map(|one| Drawn { hour: FIRST_HOUR, ..one }).collect();
    let dead = live(&world, &writes(&drawn)).await;
    assert_eq!(dead, Vec::<Value>::new());
    world.assert_equal("after recomputations that overtook each other");
}

fn run(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(case);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn recomputations_that_overtake_each_other_end_as_a_fold_of_the_ledger(
        seed in any::<u64>(), drawn in vec(drawn(), 1..60)
    ) {
        run(racing(seed, drawn));
    }

    #[test]
    fn rollups_equal_a_fold_of_the_ledger(seed in any::<u64>(), drawn in vec(drawn(), 1..100)) {
        run(case(seed, drawn));
    }
}

#[tokio::test]
async fn an_older_recomputation_never_replaces_a_newer_one() {
    let world = World::new(1).await;
    let early: Vec<Write> = (1..40).map(|n| Write::Put(line(n, FIRST_HOUR, 0, None, 0))).collect();
    let late: Vec<Write> = (40..80).map(|n| Write::Put(line(n, FIRST_HOUR, 0, None, 0))).collect();
    world.write(&early).await;
    let old = world.store.rollups();
    assert!(old.is_empty());
    let records =
        |writes: &[Write]| writes.iter().enumerate().map(|(at, w)| record(at, w)).collect::<Vec<_>>();
    world.deliver(records(&early)).await;
    let old = world.store.rollups();
    world.write(&late).await;
    world.deliver(records(&late)).await;
    world.assert_equal("after the newer recomputation");
    for rollup in &old {
        shared::ports::WriteRollups::put(world.store.as_ref(), rollup).await.expect("memory");
    }
    world.assert_equal("after the older one arrived late");
}

#[tokio::test]
async fn a_change_that_is_no_line_is_handed_back_and_what_came_before_it_is_folded() {
    let world = World::new(2).await;
    let writes: Vec<Write> = (1..4).map(|n| Write::Put(line(n, FIRST_HOUR, 0, None, 0))).collect();
    world.write(&writes).await;
    let mut records: Vec<Value> = writes.iter().enumerate().map(|(at, write)| record(at, write)).collect();
    records[1]["dynamodb"]["Keys"]["pk"] = json!({ "S": "nonsense" });
    let again = world.deliver(records.clone()).await;
    assert_eq!(again, records[1..], "Lambda sends everything from there on again");
    // The third line's partition was recomputed all the same; doing it again does no harm.
    records.remove(1);
    assert!(world.deliver(records).await.is_empty());
}
