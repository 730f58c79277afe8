//! The sinks as they are called: Slack and PagerDuty over HTTP, which fail, and senders that die between
//! sending and noting it.

mod server;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use server::Server;
use shared::app::alert::{Limits, Seen, Watch};
use shared::app::sweep::Tally;
use shared::client::{Reach, client};
use shared::config::{Config, SecretRef};
use shared::domain::alert::{Alert, AlertId, Entry};
use shared::domain::counter::{Allowance, Counter, CounterKey, ScopeKind};
use shared::domain::money::NanoUsd;
use shared::domain::time::{Period, Timestamp};
use shared::memory::MemoryStore;
use shared::ports::{AlertPage, AlertQuery, Clock, FindSecret, Outbox, RaiseAlert, ReadAlerts, StoreError};
use shared::sinks::{Sinks, Surroundings, routes};
use tests::Set;
use tokio::time::Instant;

/// 2026-12-15T12:00:00Z.
const NOON: Timestamp = Timestamp::from_millis(1_797_336_000_000);
const CAP: i64 = 1_000_000;

/// The channels' secrets.
struct Held(String);

#[async_trait]
impl FindSecret for Held {
    async fn find_secret(&self, reference: &SecretRef) -> Result<String, String> {
        match reference.to_string().as_str() {
            "env:SLACK" => Ok(format!("{}/slack", self.0)),
            "env:PAGERDUTY" => Ok("routing-key".to_owned()),
            other => Err(format!("{other} is not set")),
        }
    }
}

/// An outbox whose user dies before a delivery is noted, as often as there are `deaths` left.
#[derive(Default)]
struct Deadly {
    store: MemoryStore,
    deaths: AtomicUsize,
    /// The sinks that had been told.
    unnoted: Mutex<Vec<String>>,
}

#[async_trait]
impl RaiseAlert for Deadly {
    async fn raise(&self, alert: &Alert) -> Result<bool, StoreError> {
        self.store.raise(alert).await
    }
}

#[async_trait]
impl ReadAlerts for Deadly {
    async fn latest(&self, asked: &AlertQuery) -> Result<AlertPage, StoreError> {
        self.store.latest(asked).await
    }

    async fn find_alert(&self, id: &AlertId) -> Result<Option<Entry>, StoreError> {
        self.store.find_alert(id).await
    }
}

#[async_trait]
impl Outbox for Deadly {
    async fn open_alerts(&self, since: Timestamp) -> Result<Vec<Entry>, StoreError> {
        self.store.open_alerts(since).await
    }

    async fn swap_alert(&self, entry: &Entry) -> Result<bool, StoreError> {
        let standing = self.store.find_alert(&entry.alert.id).await?.expect("it was raised");
        let told = |entry: &Entry, sink: &str| entry.deliveries.get(sink).and_then(|delivery| delivery.told);
        let noted = entry.deliveries.keys().find(|sink| told(entry, sink) != told(&standing, sink));
        if let Some(sink) = noted.filter(|_| standing.version == entry.version) {
            let left = |deaths: usize| deaths.checked_sub(1);
            if self.deaths.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok() {
                self.unnoted.lock().expect("no panic").push(sink.clone());
                return Err(StoreError::NoReply("who sent it is dead".to_owned()));
            }
        }
        self.store.swap_alert(entry).await
    }
}

struct World {
    server: Server,
    clock: Arc<Set>,
    outbox: Arc<Deadly>,
}

impl World {
    async fn new(deaths: usize) -> Self {
        let outbox = Deadly { deaths: AtomicUsize::new(deaths), ..Deadly::default() };
        World { server: Server::start().await, clock: Arc::new(Set::at(NOON)), outbox: Arc::new(outbox) }
    }

    /// A process of its own, which remembers nothing, makes one round over a budget that is spent.
    async fn round(&self) -> Result<(), StoreError> {
        let pagerduty =
            json!({ "routing_key": "env:PAGERDUTY", "url": format!("{}/pagerduty", self.server.url) });
        let config = json!({ "alerts": { "slack": [{ "url": "env:SLACK" }], "pagerduty": [pagerduty] } });
        let config = Config::parse(&config.to_string()).expect("valid");
        let around = Surroundings {
            http: client(Reach::Any).expect("a client"),
            secrets: Arc::new(Held(self.server.url.clone())),
            clock: self.clock.clone(),
            account: None,
            sns_endpoint: None,
        };
        let (sinks, store) = (Arc::new(Sinks::new(&config.alerts, around)), Arc::new(MemoryStore::default()));
        let (routes, limits) = (routes(&config.alerts), Limits::of(&config));
        let (keys, policies) = (store.clone(), store.clone());
        let watch = Watch::new(self.outbox.clone(), keys, policies, store, None, sinks, routes, limits);
        let mut seen = Seen::default();
        let cap = NanoUsd::from_nano(CAP);
        let fresh = Counter::fresh(&Allowance { cap, ..Allowance::default() }, 0);
        let key = CounterKey::new(ScopeKind::Tenant, "acme", Period::Day, NOON);
        seen.add(&key, &Counter { remaining: NanoUsd::ZERO, ..fresh });
        let (now, nothing) = (self.clock.now(), Tally::default());
        // Less than the pause before what failed is looked at again.
        let until = Instant::now() + Duration::from_millis(900);
        watch.pass(seen, &nothing, now, until, self.clock.as_ref()).await.map(|_| ())
    }

    /// A round a minute, whoever dies in it.
    async fn minutes(&self, minutes: usize) -> usize {
        let mut died = 0;
        for _ in 0..minutes {
            died += usize::from(self.round().await.is_err());
            self.clock.forward(Duration::from_secs(60));
        }
        died
    }
}

#[tokio::test]
async fn sinks_that_fail_five_hundred_times_are_told_each_crossing_whoever_dies() {
    let world = World::new(6).await;
    for path in ["/slack", "/pagerduty"] {
        let statuses = [(500, ""), (503, ""), (429, "")];
        world.server.refuse(path, statuses.into_iter().cycle().take(500).collect());
    }
    let mut died = 0;
    while world.server.seen().open.len() < 3 || world.outbox.deaths.load(Ordering::SeqCst) > 0 {
        died += world.minutes(1).await;
    }
    died += world.minutes(5).await;
    assert!(
        (1..=6).contains(&died) && world.outbox.deaths.load(Ordering::SeqCst) == 0,
        "{died} rounds ended so"
    );
    let mut slack = world.server.slack();
    let told = slack.len();
    slack.sort_unstable();
    slack.dedup();
    assert_eq!(slack.len(), 3, "50, 80 and 100 %");
    let unnoted = world.outbox.unnoted.lock().expect("no panic").clone();
    let repeated = unnoted.iter().filter(|sink| sink.starts_with("slack-")).count();
    assert_eq!(told, 3 + repeated, "Slack is told once more for each death, and no more often");
    {
        let seen = world.server.seen();
        assert!(seen.asked.values().all(|asked| *asked >= 503), "{:?}", seen.asked);
        assert_eq!(seen.opened.keys().cloned().collect::<Vec<_>>(), slack);
        assert!(seen.opened.values().all(|opened| *opened == 1), "{:?}", seen.opened);
        assert!(seen.taken["/pagerduty"].iter().all(|event| event["routing_key"] == "routing-key"));
        assert_eq!(seen.open.len(), 3);
    }
    world.clock.forward(Duration::from_secs(12 * 3600));
    world.outbox.deaths.store(2, Ordering::SeqCst);
    world.minutes(5).await;
    let seen = world.server.seen();
    assert!(seen.open.is_empty(), "the day is over, and so are its incidents");
    assert!(seen.opened.values().all(|opened| *opened == 1), "{:?}", seen.opened);
}

#[tokio::test]
async fn a_sink_that_names_a_time_is_left_alone_until_then() {
    let world = World::new(0).await;
    world.server.refuse("/slack", vec![(429, "Retry-After: 150\r\n"); 3]);
    let asked = || world.server.seen().asked["/slack"];
    world.minutes(3).await;
    assert_eq!(asked(), 3, "each of three alerts once");
    world.minutes(1).await;
    assert_eq!((asked(), world.server.slack().len()), (6, 3));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_not_tried_again() {
    let world = World::new(0).await;
    world.server.refuse("/slack", vec![(302, "Location: /elsewhere\r\n"); 3]);
    assert_eq!(world.minutes(5).await, 0);
    let seen = world.server.seen();
    assert_eq!((seen.asked["/slack"], seen.asked.get("/elsewhere")), (3, None));
}
