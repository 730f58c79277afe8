//! Stores that break the protocol on purpose: the tests of the test. Each does one thing wrong, and
//! among the worlds over it one must show a violation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use shared::domain::counter::{
    self, Allowance, Close, Counter, CounterKey, Hold, RateLimits, Reserve, ScopeState,
};
use shared::domain::id::AttemptId;
use shared::domain::ledger::LedgerLine;
use shared::domain::money::NanoUsd;
use shared::memory::MemoryStore;
use shared::ports::{Counters, LineMark, PutLine, ReserveReply, StoreError, WriteLedger};
use tokio::time::sleep;

use super::world::lock;

/// What is done wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Half of the amount is held.
    HoldsTooLittle,
    /// The condition is tested on a read, and the write has none.
    ChecksThenIncrements,
    /// A reserve is sent again, and the copy comes late.
    ResendsReserves,
    /// CLOSE gives back what was closed before.
    ClosesWithoutCondition,
    /// A line replaces the one that stands.
    PutsWithoutCondition,
    /// A reserve enters below the floor.
    IgnoresTheFloor,
    /// A sweep voids what it does not see, without a fence.
    FencesNothing,
    /// A reserve does not look at the state of its scope.
    ObeysNoStop,
    /// A new cap leaves what remains as it is.
    RaisesTheCapAlone,
    /// A reserve enters whatever policy it names.
    IgnoresTheVersion,
    /// Any number of holds may be open at once.
    CountsNoHolds,
    /// A refusal does not tell which policy the counter follows.
    TellsNoPolicy,
}

/// The memory store with one rule broken.
pub(crate) struct BrokenStore {
    pub(crate) memory: Arc<MemoryStore>,
    pub(crate) broken: Broken,
    /// Holds that were ever entered.
    entered: Mutex<BTreeMap<(CounterKey, AttemptId), Hold>>,
}

/// How long a second copy is under way: longer than most attempts take.
const COPY: Duration = Duration::from_millis(1_500);
/// The time between a check and its write.
const GAP: Duration = Duration::from_millis(8);

impl BrokenStore {
    pub(crate) fn new(memory: Arc<MemoryStore>, broken: Broken) -> Self {
        BrokenStore { memory, broken, entered: Mutex::default() }
    }

    async fn check_then_increment(&self, write: &Reserve) -> Result<ReserveReply, StoreError> {
        let seen = self.memory.read(&write.key).await?;
        let Some(checked) = counter::reserve(seen.as_ref(), write) else {
            return Ok(ReserveReply::Refused(seen));
        };
        sleep(GAP).await;
        Ok(self.memory.with_books(|counters, _| {
            let standing = counters.entry(write.key.clone()).or_insert_with(|| checked.clone());
            if standing.is_unopened() {
                *standing = Counter { floor: standing.floor, ..checked };
            } else if *standing != checked {
                standing.remaining =
                    NanoUsd::from_nano(standing.remaining.nano().saturating_sub(write.amount().nano()));
                standing.window = checked.window;
                standing.live.extend(write.hold.clone().map(|hold| (write.id, hold)));
            }
            ReserveReply::Held(standing.clone())
        }))
    }

    /// The write as if there were no floor, which stays.
    fn enter_below_the_floor(&self, write: &Reserve) -> ReserveReply {
        self.memory.with_books(|counters, _| {
            let standing = counters.get(&write.key).cloned();
            let unfenced = standing.clone().map(|counter| Counter { floor: None, ..counter });
            match counter::reserve(unfenced.as_ref(), write) {
                None => ReserveReply::Refused(standing),
                Some(next) => {
                    let floor = standing.and_then(|counter| counter.floor);
                    let next = Counter { floor, ..next };
                    counters.insert(write.key.clone(), next.clone());
                    ReserveReply::Held(next)
                }
            }
        })
    }

    /// The write as if its scope were active.
    fn enter_what_is_stopped(&self, write: &Reserve) -> ReserveReply {
        self.memory.with_books(|counters, _| {
            let standing = counters.get(&write.key).cloned();
            let state = standing.as_ref().map_or(ScopeState::Active, |counter| counter.state);
            let active = standing.clone().map(|counter| Counter { state: ScopeState::Active, ..counter });
            let allowance = Allowance { state: ScopeState::Active, ..write.allowance };
            match counter::reserve(active.as_ref(), &Reserve { allowance, ..write.clone() }) {
                None => ReserveReply::Refused(standing),
                Some(next) => {
                    let next = Counter { state, ..next };
                    counters.insert(write.key.clone(), next.clone());
                    ReserveReply::Held(next)
                }
            }
        })
    }

    /// The write as if it named the policy that the counter follows.
    fn enter_under_any_policy(&self, write: &Reserve) -> ReserveReply {
        self.memory.with_books(|counters, _| {
            let standing = counters.get(&write.key).cloned();
            let opened = standing.as_ref().filter(|counter| !counter.is_unopened());
            let allowance = opened.map_or(write.allowance, Counter::allowance);
            match counter::reserve(standing.as_ref(), &Reserve { allowance, ..write.clone() }) {
                None => ReserveReply::Refused(standing),
                Some(next) => {
                    counters.insert(write.key.clone(), next.clone());
                    ReserveReply::Held(next)
                }
            }
        })
    }

    fn raise_the_cap_alone(&self, key: &CounterKey, to: &Allowance) {
        self.memory.with_books(|counters, _| {
            let standing = counters.get(key).cloned();
            if let Some(next) = counter::allow(standing.as_ref(), to) {
                let remaining = match standing.filter(|counter| !counter.is_unopened()) {
                    Some(standing) => standing.remaining,
                    None => next.remaining,
                };
                counters.insert(key.clone(), Counter { remaining, ..next });
            }
        });
    }

    /// Gives back without a look at whether the hold is live.
    fn close_again(&self, write: &Close) {
        let entered = lock(&self.entered).get(&(write.key.clone(), write.id)).cloned();
        self.memory.with_books(|counters, _| {
            let counter =
                counters.get_mut(&write.key).filter(|counter| !counter.live.contains_key(&write.id));
            if let (Some(counter), Some(hold)) = (counter, entered) {
                let back = hold.amount.nano().saturating_sub(write.billed.nano());
                counter.remaining = NanoUsd::from_nano(counter.remaining.nano().saturating_add(back));
            }
        });
    }
}

#[async_trait]
impl Counters for BrokenStore {
    async fn reserve(&self, write: &Reserve) -> Result<ReserveReply, StoreError> {
        if let Some(hold) = &write.hold {
            lock(&self.entered).insert((write.key.clone(), write.id), hold.clone());
        }
        match self.broken {
            Broken::HoldsTooLittle => {
                let half =
                    |hold: &Hold| Hold { amount: NanoUsd::from_nano(hold.amount.nano() / 2), ..hold.clone() };
                let write = Reserve { hold: write.hold.as_ref().map(half), ..write.clone() };
                self.memory.reserve(&write).await
            }
            Broken::ChecksThenIncrements => self.check_then_increment(write).await,
            Broken::ResendsReserves => {
                let (memory, copy) = (Arc::clone(&self.memory), write.clone());
                tokio::spawn(async move {
                    sleep(COPY).await;
                    memory.reserve(&copy).await
                });
                self.memory.reserve(write).await
            }
            Broken::IgnoresTheFloor => Ok(self.enter_below_the_floor(write)),
            Broken::ObeysNoStop => Ok(self.enter_what_is_stopped(write)),
            Broken::IgnoresTheVersion => Ok(self.enter_under_any_policy(write)),
            Broken::CountsNoHolds => {
                let limits = RateLimits { concurrency: None, ..write.limits };
                self.memory.reserve(&Reserve { limits, ..write.clone() }).await
            }
            Broken::TellsNoPolicy => Ok(match self.memory.reserve(write).await? {
                ReserveReply::Refused(Some(old)) => {
                    ReserveReply::Refused(Some(Counter { version: write.allowance.version, ..old }))
                }
                reply => reply,
            }),
            _ => self.memory.reserve(write).await,
        }
    }

    async fn allow(&self, key: &CounterKey, to: &Allowance) -> Result<(), StoreError> {
        match self.broken {
            Broken::RaisesTheCapAlone => {
                self.raise_the_cap_alone(key, to);
                Ok(())
            }
            _ => self.memory.allow(key, to).await,
        }
    }

    async fn read(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError> {
        self.memory.read(key).await
    }

    async fn close(&self, write: &Close) -> Result<(), StoreError> {
        if self.broken == Broken::ClosesWithoutCondition {
            self.close_again(write);
        }
        self.memory.close(write).await
    }

    async fn fence(&self, key: &CounterKey, id: AttemptId) -> Result<bool, StoreError> {
        match self.broken {
            Broken::FencesNothing => Ok(true),
            _ => self.memory.fence(key, id).await,
        }
    }
}

#[async_trait]
impl WriteLedger for BrokenStore {
    async fn put(&self, line: &LedgerLine) -> Result<PutLine, StoreError> {
        let put = WriteLedger::put(self.memory.as_ref(), line).await?;
        if self.broken == Broken::PutsWithoutCondition {
            self.memory.with_books(|_, lines| lines.insert(line.id, line.clone()));
            return Ok(PutLine::Inserted);
        }
        Ok(put)
    }

    async fn find(&self, tenant: &str, line: LineMark) -> Result<Option<LedgerLine>, StoreError> {
        self.memory.find(tenant, line).await
    }

    async fn correct(&self, estimated: &LedgerLine, exact: &LedgerLine) -> Result<bool, StoreError> {
        self.memory.correct(estimated, exact).await
    }
}
