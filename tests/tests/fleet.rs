//! A fleet of 50 under steady load while its primary fails, on a simulated clock: which calls the
//! primary still gets, moment by moment.

use std::sync::Arc;
use std::time::Duration;

use shared::app::breakers::{Breakers, FRESH, Permit};
use shared::config::ModelName;
use shared::domain::breaker::BreakerSettings;
use shared::domain::time::Timestamp;
use shared::memory::MemoryStore;
use shared::ports::BreakerStore;

const INSTANCES: u64 = 50;
const SETTINGS: BreakerSettings = BreakerSettings { threshold: 5, reset: Duration::from_secs(30) };
const FIRST_TOKEN: Duration = Duration::from_secs(3);
const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// The simulation's step. Each instance asks every tenth one, the fleet evenly spread.
const STEP: Duration = Duration::from_millis(10);
const STEPS_BETWEEN: u64 = 10;
/// How long a call takes to fail.
const CALL: Duration = Duration::from_millis(200);

struct Fleet {
    store: Arc<MemoryStore>,
    instances: Vec<Breakers>,
    primary: ModelName,
    /// Calls that have not ended: when they will, and whose they are.
    open: Vec<(Timestamp, usize)>,
    /// Whether the primary has recovered.
    healthy: bool,
}

/// A call that was let through.
struct Begun {
    at: Timestamp,
    probe: bool,
}

impl Fleet {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::default());
        let instances = (0..INSTANCES).map(|_| Breakers::new(store.clone(), SETTINGS)).collect();
        let primary = "demo/primary".parse().expect("a model");
        Fleet { store, instances, primary, open: Vec::new(), healthy: false }
    }

    async fn opened_until(&self) -> Option<Timestamp> {
        let state = BreakerStore::read(self.store.as_ref(), self.primary.as_str()).await.expect("memory");
        state.breaker.open_until
    }

    /// Ends the calls that are over by `now`, then lets every instance whose turn it is ask.
    async fn step(&mut self, count: u64, now: Timestamp) -> Vec<Begun> {
        let (over, open) = self.open.drain(..).partition(|(end, _)| *end <= now);
        self.open = open;
        let over: Vec<(Timestamp, usize)> = over;
        for (_, index) in over {
            match self.healthy {
                true => self.instances[index].succeeded(&self.primary, now).await,
                false => self.instances[index].failed(&self.primary, now).await,
            }
        }
        let mut begun = Vec::new();
        for index in 0..self.instances.len() {
            if index as u64 % STEPS_BETWEEN != count % STEPS_BETWEEN {
                continue;
            }
            let permit = self.instances[index].permit(&self.primary, FIRST_TOKEN, now).await;
            if let Permit::Call | Permit::Probe = permit {
                self.open.push((now + CALL, index));
                begun.push(Begun { at: now, probe: permit == Permit::Probe });
            }
        }
        begun
    }

    /// Runs from `from` until `until`, and returns every call begun.
    async fn run(&mut self, from: Timestamp, until: Timestamp) -> Vec<Begun> {
        let mut begun = Vec::new();
        let (mut now, mut count) = (from, 0);
        while now < until {
            begun.extend(self.step(count, now).await);
            (now, count) = (now + STEP, count + 1);
        }
        begun
    }
}

#[tokio::test]
async fn under_load_a_failing_primary_gets_a_bounded_number_of_calls_and_then_one_probe() {
    let mut fleet = Fleet::new();
    // Every instance has a warm copy and a healthy history when the primary begins to fail.
    fleet.healthy = true;
    fleet.run(START - FRESH, START).await;
    fleet.healthy = false;

    let mut calls = Vec::new();
    let mut now = START;
    while fleet.opened_until().await.is_none() {
        calls.extend(fleet.run(now, now + STEP * 10).await);
        now = now + STEP * 10;
        assert!(now < START + FRESH * 2, "the breaker never opened");
    }
    let reset = fleet.opened_until().await.expect("open");
    let opened = reset - SETTINGS.reset;
    calls.extend(fleet.run(now, reset).await);

    let stale = calls.iter().filter(|call| call.at >= opened && call.at < opened + FRESH).count();
    let late = calls.iter().filter(|call| call.at >= opened + FRESH).count();
    assert_eq!(late, 0, "calls after every copy had to be read anew");
    let in_flight = calls.iter().filter(|call| call.at < opened && call.at + CALL > opened).count();
    let bound = SETTINGS.threshold as usize + in_flight + stale;
    assert!(calls.len() <= bound, "{} calls against a bound of {bound}", calls.len());
    assert!(calls.iter().all(|call| !call.probe), "a probe before the reset time");
}

#[tokio::test]
async fn a_failed_probe_keeps_the_fleet_away_for_twice_as_long_and_a_good_one_lets_it_back() {
    let mut fleet = Fleet::new();
    fleet.run(START, START + FRESH * 2).await;
    let reset = fleet.opened_until().await.expect("open");
    let failing = fleet.run(reset, reset + FRESH * 2).await;
    assert_eq!(failing.len(), 1, "one probe in the whole fleet");
    assert!(failing[0].probe);

    let again = fleet.opened_until().await.expect("still open");
    assert_eq!(again, failing[0].at + CALL + SETTINGS.reset * 2);
    assert_eq!(fleet.run(reset + FRESH * 2, again).await.len(), 0);

    fleet.healthy = true;
    let probing = fleet.run(again, again + CALL).await;
    assert_eq!(probing.len(), 1, "one probe again");
    assert!(probing[0].probe);
    let closed = again + CALL + STEP;
    fleet.run(again + CALL, closed).await;
    fleet.run(closed, closed + FRESH).await;
    let calm = closed + FRESH;
    let back = fleet.run(calm, calm + STEP * 10).await;
    assert_eq!(back.len(), fleet.instances.len(), "everyone is back within a copy's life");
}
