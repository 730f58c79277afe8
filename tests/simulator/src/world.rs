//! Everything that is there in one world.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::app::breakers::Breakers;
use shared::app::warm_keys::WarmKeys;
use shared::app::warm_marks::WarmMarks;
use shared::app::warm_policies::WarmPolicies;
use shared::app::{App, Tuning};
use shared::domain::breaker::BreakerSettings;
use shared::domain::id::AttemptId;
use shared::domain::ledger::LedgerLine;
use shared::domain::time::Timestamp;
use shared::memory::MemoryStore;
use shared::ports::{Clock, Counters, WriteLedger};

use super::books::Books;
use super::broken::{Broken, BrokenStore};
use super::callers::{self, Caller, pepper};
use super::clock::SimClock;
use super::dice::Dice;
use super::meant::Meant;
use super::plan::{Faults, Plan};
use super::process::Process;
use super::provider::Provider;
use super::run::Options;
use super::tally::Tally;
use super::tariff::Tariff;
use super::wire::Wire;

/// Steps that a failure shows of what it is about, and of everything.
const STEPS_ABOUT: usize = 30;
const STEPS_LAST: usize = 12;

/// The stores at their own end. A test of the test puts something that misbehaves before them.
pub(crate) struct Stores {
    pub(crate) memory: Arc<MemoryStore>,
    pub(crate) counters: Arc<dyn Counters>,
    pub(crate) ledger: Arc<dyn WriteLedger>,
}

impl Stores {
    fn new(broken: Option<Broken>) -> Self {
        let memory: Arc<MemoryStore> = Arc::default();
        match broken {
            None => Stores { counters: memory.clone(), ledger: memory.clone(), memory },
            Some(broken) => {
                let store = Arc::new(BrokenStore::new(Arc::clone(&memory), broken));
                Stores { counters: store.clone(), ledger: store, memory }
            }
        }
    }
}

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) dice: Dice,
    pub(crate) clock: SimClock,
    pub(crate) tariff: Tariff,
    pub(crate) callers: Vec<Caller>,
    pub(crate) meant: Meant,
    pub(crate) stores: Stores,
    pub(crate) books: Books,
    /// Who sent which request.
    pub(crate) asked: Mutex<BTreeMap<AttemptId, usize>>,
    /// Settlements that the queue gave up; they are sent in again at the end.
    pub(crate) dead_letters: Mutex<Vec<LedgerLine>>,
    tally: Mutex<Tally>,
    fleet: Mutex<Vec<Instance>>,
    calm: AtomicBool,
    /// Settle commands whose sender does not know that the queue has them.
    pub(crate) unsent: AtomicU64,
    /// Moments so far at which a process could be killed, and the one at which one is.
    moments: AtomicU64,
    crash_at: Option<u64>,
    /// Everything that happened, where it is told.
    steps: Option<Mutex<Vec<String>>>,
}

/// One instance of the gateway.
#[derive(Clone)]
pub(crate) struct Instance {
    pub(crate) app: Arc<App>,
    pub(crate) process: Arc<Process>,
}

pub(crate) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// Must be called inside the runtime whose clock is the world's.
    pub(crate) async fn new(plan: Plan, dice: Dice, options: &Options) -> Arc<Self> {
        let stores = Stores::new(options.broken);
        let tariff = Tariff::draw(&dice, plan.turn);
        let callers = callers::draw(&dice, &stores.memory, plan.base).await;
        let meant = Meant::read(&stores.memory).await;
        let clock = SimClock { base: plan.base, start: tokio::time::Instant::now(), skew: 0 };
        Arc::new(World {
            books: Books::new(Arc::clone(&stores.memory), plan.overruns),
            fleet: Mutex::new(Vec::new()),
            steps: options.is_told.then(Mutex::default),
            asked: Mutex::default(),
            dead_letters: Mutex::default(),
            tally: Mutex::default(),
            calm: AtomicBool::new(false),
            moments: AtomicU64::new(0),
            unsent: AtomicU64::new(0),
            crash_at: options.crash_at,
            plan,
            dice,
            clock,
            tariff,
            callers,
            meant,
            stores,
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// None once the world is calm.
    pub(crate) fn faults(&self) -> Faults {
        if self.is_calm() { Faults::default() } else { self.plan.faults }
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// From here on everything works.
    pub(crate) fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
        for instance in lock(&self.fleet).iter() {
            instance.process.kill();
        }
    }

    /// A moment has come at which a process may be killed: whether it is.
    pub(crate) fn strikes(&self) -> bool {
        if self.is_calm() {
            return false;
        }
        let moment = self.moments.fetch_add(1, Ordering::Relaxed);
        self.crash_at == Some(moment) || self.dice.chance(self.plan.faults.crash)
    }

    pub(crate) fn moments(&self) -> u64 {
        self.moments.load(Ordering::Relaxed)
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        lock(&self.tally)
    }

    /// One step, for whoever reads how a failure came about.
    pub(crate) fn tell(&self, step: impl FnOnce() -> String) {
        self.tally().steps += 1;
        if let Some(steps) = self.steps.as_ref().filter(|_| self.books.violation().is_none()) {
            let after = self.clock.start.elapsed();
            lock(steps).push(format!("{:>9.3} s  {}", after.as_secs_f64(), step()));
        }
    }

    /// The steps before the violation: the last ones about the ids that it names, and the last ones.
    pub(crate) fn last_steps(&self) -> Vec<String> {
        let steps = self.steps.as_ref().map(|steps| lock(steps).clone()).unwrap_or_default();
        let detail = self.books.violation().map(|violation| violation.detail).unwrap_or_default();
        let words = detail.split(|letter: char| !letter.is_ascii_alphanumeric());
        let ids: Vec<&str> = words.filter(|word| word.parse::<AttemptId>().is_ok()).collect();
        let is_about = |step: &String| ids.iter().any(|id| step.contains(id));
        let last = steps.len().saturating_sub(STEPS_LAST);
        let about: Vec<&String> = steps[..last].iter().filter(|step| is_about(step)).collect();
        let about = about[about.len().saturating_sub(STEPS_ABOUT)..].iter().copied();
        about.chain(&steps[last..]).cloned().collect()
    }

    /// A process whose clock is off by a time of its own.
    pub(crate) fn process(&self) -> Arc<Process> {
        let skew = if self.is_calm() { 0 } else { self.plan.skew };
        let off = i64::try_from(self.dice.within(0..=2 * skew)).unwrap_or(0);
        Arc::new(Process::new(off - i64::try_from(skew).unwrap_or(0)))
    }

    /// Instance `number` of the fleet; a new one where that was killed.
    pub(crate) fn instance(self: &Arc<Self>, number: usize) -> Instance {
        let mut fleet = lock(&self.fleet);
        while fleet.len() <= number {
            fleet.push(self.start_instance());
        }
        if fleet[number].process.is_dead() {
            self.tell(|| format!("instance {number} starts anew"));
            fleet[number] = self.start_instance();
        }
        fleet[number].clone()
    }

    fn start_instance(self: &Arc<Self>) -> Instance {
        let process = self.process();
        let wire = Arc::new(Wire { world: Arc::clone(self), process: Arc::clone(&process) });
        let provider = Arc::new(Provider { wire: Wire::clone(&wire) });
        let breaker = &self.plan.config.routing.circuit_breaker;
        let settings = BreakerSettings {
            threshold: breaker.threshold,
            reset: Duration::from_millis(breaker.reset_timeout_ms),
        };
        let clock: Arc<dyn Clock> = Arc::new(self.clock.skewed(process.skew));
        let app = App {
            config: self.plan.config.clone(),
            prices: self.tariff.book(),
            pepper: pepper(),
            tuning: Tuning::default(),
            clock: Arc::clone(&clock),
            randomness: Arc::new(self.dice.clone()),
            keys: Arc::new(WarmKeys::new(Wire::clone(&wire), Arc::clone(&clock))),
            policies: Arc::new(WarmPolicies::new(Wire::clone(&wire), clock)),
            counters: wire.clone(),
            refusals: wire.clone(),
            ledger: wire.clone(),
            answers: wire.clone(),
            marks: Arc::new(WarmMarks::new(wire.clone(), Arc::new(self.clock.skewed(process.skew)))),
            semantic: None,
            idempotency: wire.clone(),
            breakers: Breakers::new(wire.clone(), settings),
            settle_queue: wire,
            upstream: provider.clone(),
            embedder: provider.clone(),
            counter: provider,
        };
        Instance { app: Arc::new(app), process }
    }

    /// Lets go of what refers back to the world.
    pub(crate) fn end(&self) {
        lock(&self.fleet).clear();
    }
}
