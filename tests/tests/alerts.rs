//! Each crossing has one alert, and each alert reaches each sink, whatever fails and whoever dies between.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use proptest::prelude::*;
use shared::app::alert::{Seen, Watch};
use shared::app::sweep::Tally;
use shared::domain::alert::{About, Alert, AlertId, Entry, QuietHours, Route, SendError, Severity, Telling};
use shared::domain::counter::{Allowance, Counter, CounterKey, ScopeKind};
use shared::domain::money::NanoUsd;
use shared::domain::time::{Period, Timestamp};
use shared::memory::MemoryStore;
use shared::ports::{AlertQuery, Clock, ReadAlerts, ReadMetrics, SendAlert, StoreError, Vitals};
use tests::watch;
use tokio::time::Instant;

/// 2026-12-15T12:00:00Z.
const NOON: i64 = 1_797_336_000_000;
const CAP: i64 = 1_000_000;

/// The runtime's paused clock as the time of day.
struct Paused {
    begun: Instant,
    skew: AtomicI64,
}

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.begun.elapsed().as_millis()).expect("a short test");
        Timestamp::from_millis(NOON + elapsed + self.skew.load(Ordering::SeqCst))
    }
}

/// What a sink does with the next sends, in order; then it takes everything.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Turn {
    Takes,
    Fails,
    /// It takes it, and whoever sent it dies before it can note that.
    Kills,
}

#[derive(Default)]
struct Mock {
    turns: Mutex<BTreeMap<String, Vec<Turn>>>,
    /// What each sink has taken.
    taken: Mutex<Vec<(String, AlertId, Telling)>>,
    /// Sends that were asked for.
    asked: Mutex<BTreeMap<String, usize>>,
}

#[async_trait]
impl SendAlert for Mock {
    async fn send(&self, sink: &str, alert: &Alert, telling: Telling) -> Result<(), SendError> {
        *self.asked.lock().expect("no panic").entry(sink.to_owned()).or_default() += 1;
        let turn = {
            let mut turns = self.turns.lock().expect("no panic");
            turns.get_mut(sink).filter(|turns| !turns.is_empty()).map_or(Turn::Takes, |turns| turns.remove(0))
        };
        if turn == Turn::Fails {
            return Err(SendError::Passing { why: "500: busy".to_owned(), after: None });
        }
        self.taken.lock().expect("no panic").push((sink.to_owned(), alert.id.clone(), telling));
        match turn {
            Turn::Kills => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

impl Mock {
    fn taken(&self, sink: &str) -> Vec<(AlertId, Telling)> {
        let taken = self.taken.lock().expect("no panic");
        taken.iter().filter(|(of, ..)| of == sink).map(|(_, id, telling)| (id.clone(), *telling)).collect()
    }
}

fn route(sink: &str, resolves: bool) -> Route {
    let (sink, quiet) = (sink.to_owned(), Vec::new());
    Route { sink, tenants: None, min_severity: Severity::Info, resolves, quiet }
}

struct World {
    store: Arc<MemoryStore>,
    mock: Arc<Mock>,
    clock: Paused,
    routes: Vec<Route>,
}

impl World {
    fn new(routes: Vec<Route>) -> Self {
        let clock = Paused { begun: Instant::now(), skew: AtomicI64::new(0) };
        World { store: Arc::default(), mock: Arc::default(), clock, routes }
    }

    /// A process of its own, which remembers nothing.
    fn watch(&self) -> Watch {
        watch(&self.store, self.mock.clone(), self.routes.clone())
    }

    /// A pass over a counter of which `spent` is gone. It may be killed.
    async fn pass(&self, spent: i64) {
        self.pass_of(&self.watch(), spent).await;
    }

    async fn pass_of(&self, watch: &Watch, spent: i64) {
        let mut seen = Seen::default();
        let key = CounterKey::new(ScopeKind::Tenant, "acme", Period::Day, self.clock.now());
        seen.add(&key, &counter(spent));
        let until = Instant::now() + Duration::from_secs(45);
        let nothing = Tally::default();
        let pass = watch.pass(seen, &nothing, self.clock.now(), until, &self.clock);
        // Who hangs for so long is taken for dead.
        if let Ok(passed) = tokio::time::timeout(Duration::from_secs(50), pass).await {
            passed.expect("memory never fails");
        }
    }

    async fn minute(&self, spent: i64) {
        let begun = Instant::now();
        self.pass(spent).await;
        tokio::time::sleep_until(begun + Duration::from_secs(60)).await;
    }

    async fn entries(&self) -> Vec<Entry> {
        let all = AlertQuery { since: Timestamp::default(), before: None, most: usize::MAX };
        self.store.latest(&all).await.expect("memory never fails").entries
    }
}

fn counter(spent: i64) -> Counter {
    let cap = NanoUsd::from_nano(CAP);
    let remaining = NanoUsd::from_nano(CAP - spent);
    Counter { remaining, ..Counter::fresh(&Allowance { cap, ..Allowance::default() }, 0) }
}

fn shares(entries: &[Entry]) -> Vec<u32> {
    let share = |entry: &Entry| match entry.alert.about {
        About::Budget { threshold_ppm, .. } => Some(threshold_ppm),
        _ => None,
    };
    let mut shares: Vec<u32> = entries.iter().filter_map(share).collect();
    shares.sort_unstable();
    shares
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_spent_tells_each_threshold_once() {
    let world = World::new(vec![route("slack", false), route("pagerduty", true)]);
    for spent in [100_000, 499_999, 500_000, 600_000, 900_000, 999_999, CAP, CAP, CAP] {
        world.minute(spent).await;
    }
    assert_eq!(shares(&world.entries().await), [500_000, 800_000, 1_000_000]);
    for sink in ["slack", "pagerduty"] {
        let told = world.mock.taken(sink);
        let budget = told.iter().filter(|(_, telling)| *telling == Telling::Raised).count();
        // The forecast is the fourth: half by noon would last exactly, more does not.
        assert_eq!((told.len(), budget), (4, 4), "{sink}: {told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_incident_is_resolved_when_the_period_is_over() {
    let world = World::new(vec![route("slack", false), route("pagerduty", true)]);
    world.minute(CAP).await;
    world.clock.skew.store(13 * 3_600_000, Ordering::SeqCst);
    world.minute(0).await;
    let told = |sink: &str, telling| world.mock.taken(sink).iter().filter(|(_, of)| *of == telling).count();
    assert_eq!((told("pagerduty", Telling::Raised), told("pagerduty", Telling::Cleared)), (3, 3));
    assert_eq!((told("slack", Telling::Raised), told("slack", Telling::Cleared)), (3, 0));
    assert!(world.entries().await.iter().all(|entry| entry.done && entry.cleared_at.is_some()));
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_fails_five_hundred_times_is_told_in_the_end() {
    let world = World::new(vec![route("slack", false), route("pagerduty", true)]);
    for sink in ["slack", "pagerduty"] {
        let fails = vec![Turn::Fails; 500];
        world.mock.turns.lock().expect("no panic").insert(sink.to_owned(), fails);
    }
    let mut minutes = 0;
    while world.mock.taken("slack").len() < 3 || world.mock.taken("pagerduty").len() < 3 {
        world.minute(CAP).await;
        minutes += 1;
        assert!(minutes < 700, "{:?}", world.mock.asked);
    }
    assert_eq!(world.mock.asked.lock().expect("no panic")["slack"], 503);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_not_sent_again() {
    struct Refuses;
    #[async_trait]
    impl SendAlert for Refuses {
        async fn send(&self, _: &str, _: &Alert, _: Telling) -> Result<(), SendError> {
            Err(SendError::Final("404: no_service".to_owned()))
        }
    }
    let world = World::new(vec![route("slack", false)]);
    let watch = watch(&world.store, Arc::new(Refuses), world.routes.clone());
    for _ in 0..3 {
        let mut seen = Seen::default();
        seen.add(
            &CounterKey::new(ScopeKind::Tenant, "acme", Period::Day, world.clock.now()),
            &counter(CAP / 2),
        );
        let until = Instant::now() + Duration::from_secs(45);
        watch.pass(seen, &Tally::default(), world.clock.now(), until, &world.clock).await.expect("done");
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let entries = world.entries().await;
    let delivery = &entries[0].deliveries["slack"];
    assert_eq!((entries.len(), delivery.failures, delivery.given_up), (1, 1, true));
}

#[tokio::test(start_paused = true)]
async fn quiet_hours_hold_back_what_is_not_critical() {
    let hours = QuietHours { tenants: None, from: 11 * 60, to: 13 * 60, utc_offset: 0 };
    let world = World::new(vec![Route { quiet: vec![hours], ..route("slack", false) }]);
    world.minute(CAP).await;
    assert_eq!(world.mock.taken("slack").len(), 1, "at 100 % somebody must look");
    world.clock.skew.store(3_600_000, Ordering::SeqCst);
    world.minute(CAP).await;
    assert_eq!(world.mock.taken("slack").len(), 3);
}

/// None where it cannot be measured.
#[derive(Clone, Copy)]
struct Measured(Option<Vitals>, Option<u64>);

#[async_trait]
impl ReadMetrics for Measured {
    async fn vitals(&self, _: Timestamp) -> Result<Vitals, StoreError> {
        self.0.ok_or_else(|| StoreError::NoReply("nobody measures".to_owned()))
    }

    async fn dead_letters(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let waiting = self.1.ok_or_else(|| StoreError::NoReply("nobody counts".to_owned()))?;
        Ok(vec![("settle".to_owned(), waiting)])
    }
}

#[tokio::test(start_paused = true)]
async fn the_gateway_is_watched_and_what_is_not_known_clears_nothing_and_holds_nothing_back() {
    let measured = |p95, ppm, waiting| {
        Measured(Some(Vitals { p95_ms: Some(p95), fallback_ppm: Some(ppm) }), Some(waiting))
    };
    let world = World::new(vec![route("pagerduty", true)]);
    let usual = measured(600, 200_000, 0);
    let told = [
        (usual, 0, (0, 0)),
        (measured(601, 200_001, 1), 0, (3, 0)),
        (measured(900, 300_000, 5), 0, (3, 0)),
        (Measured(None, None), CAP / 2, (4, 0)),
        (Measured(None, Some(0)), CAP / 2, (4, 1)),
        (usual, CAP / 2, (4, 3)),
        (Measured(None, Some(2)), CAP / 2, (5, 3)),
        (measured(700, 0, 0), CAP / 2, (6, 4)),
    ];
    for (measured, spent, expected) in told {
        let mut watch = world.watch();
        watch.metrics = Some(Arc::new(measured));
        world.pass_of(&watch, spent).await;
        let count = |telling| world.mock.taken("pagerduty").iter().filter(|(_, of)| *of == telling).count();
        assert_eq!((count(Telling::Raised), count(Telling::Cleared)), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_greater_cap_leaves_room_for_is_over_and_no_other_tenants_budget_ends_it() {
    let world = World::new(vec![route("pagerduty", true)]);
    let watch = world.watch();
    let team = |tenant: &str| {
        CounterKey::new(ScopeKind::Team, &format!("{tenant}#search"), Period::Day, world.clock.now())
    };
    let pass = async |counters: &[(&str, Counter)]| {
        let mut seen = Seen::default();
        counters.iter().for_each(|(tenant, counter)| seen.add(&team(tenant), counter));
        let until = Instant::now() + Duration::from_secs(45);
        watch.pass(seen, &Tally::default(), world.clock.now(), until, &world.clock).await.expect("done");
        let count = |telling| world.mock.taken("pagerduty").iter().filter(|(_, of)| *of == telling).count();
        (count(Telling::Raised), count(Telling::Cleared))
    };
    let refused = Counter { refused_at: Some(world.clock.now()), ..counter(CAP / 10) };
    assert_eq!(pass(&[("acme", refused.clone())]).await, (3, 0));
    let greater =
        Allowance { cap: NanoUsd::from_nano(20 * CAP), version: world.clock.now(), ..Allowance::default() };
    let of_other = Counter { remaining: NanoUsd::from_nano(CAP * 9), ..Counter::fresh(&greater, 0) };
    assert_eq!(pass(&[("acme", refused.clone()), ("other", of_other)]).await, (4, 0), "acme still refuses");
    let raised = shared::domain::counter::allow(Some(&refused), &greater).expect("a later policy");
    assert_eq!(pass(&[("acme", raised)]).await, (4, 3), "one per cent of it is spent");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Invariant: one alert for each budget, period and threshold; delivered at least once, and more than
    /// once only where somebody died between sending and noting.
    #[test]
    fn crossings_are_told_once_and_twice_at_most_for_each_death(
        turns in proptest::collection::vec(prop_oneof![Just(Turn::Takes), Just(Turn::Fails), Just(Turn::Kills)], 0..12),
        steps in proptest::collection::vec(0_i64..=CAP, 1..8),
        passes_at_once in 1_usize..4,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            let world = World::new(vec![route("slack", false), route("pagerduty", true)]);
            let deaths = turns.iter().filter(|turn| **turn == Turn::Kills).count();
            world.mock.turns.lock().expect("no panic").insert("slack".to_owned(), turns.clone());
            world.mock.turns.lock().expect("no panic").insert("pagerduty".to_owned(), turns);
            let most = steps.iter().copied().max().unwrap_or(0);
            let settle = std::iter::repeat_n(most, 40);
            for spent in steps.into_iter().chain(settle) {
                let begun = Instant::now();
                // Duplicated and delayed invocations of the schedule.
                futures_util::future::join_all((0..passes_at_once).map(|_| world.pass(spent))).await;
                tokio::time::sleep_until(begun + Duration::from_secs(60)).await;
            }
            let crossed: Vec<u32> = [500_000, 800_000, 1_000_000].into_iter().filter(|ppm| most >= i64::from(*ppm)).collect();
            let entries = world.entries().await;
            prop_assert_eq!(shares(&entries), crossed);
            for sink in ["slack", "pagerduty"] {
                let told = world.mock.taken(sink);
                for entry in &entries {
                    prop_assert!(told.iter().any(|(id, _)| *id == entry.alert.id), "{sink} was not told");
                }
                prop_assert!(told.len() <= entries.len() + deaths, "{sink} was told {} times", told.len());
            }
            Ok(())
        })?;
    }
}
