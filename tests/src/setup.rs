//! What a test gateway is made of. Every part has a default and can be replaced.

use std::sync::Arc;
use std::time::Duration;

use admin::{Files, Office};
use serde_json::{Value, json};
use shared::app::administer::Admin;
use shared::app::breakers::Breakers;
use shared::app::change::Registry;
use shared::app::observation::Unobserved;
use shared::app::overview::Overview;
use shared::app::random::OsRandomness;
use shared::app::warm_marks::WarmMarks;
use shared::app::{App, SemanticTier, Tuning};
use shared::clock::SystemClock;
use shared::config::{Config, Prices};
use shared::domain::breaker::BreakerSettings;
use shared::domain::key::Pepper;
use shared::memory::MemoryStore;
use shared::ports::{
    AnswerCache, BreakerStore, CacheMarks, Clock, Counters, EmbedText, FindKey, FindPolicy, Idempotency,
    Observe, SettleQueue, Upstream, WriteLedger,
};

use super::app::TestApp;
use super::provider::Provider;
use super::semantic::Semantic;

const PRICES: &str = include_str!("../../config/prices.json");

/// The stores as the gateway reaches them.
#[derive(Clone)]
pub struct Ports {
    pub keys: Arc<dyn FindKey>,
    pub policies: Arc<dyn FindPolicy>,
    pub counters: Arc<dyn Counters>,
    pub ledger: Arc<dyn WriteLedger>,
    pub answers: Arc<dyn AnswerCache>,
    pub marks: Arc<dyn CacheMarks>,
    pub idempotency: Arc<dyn Idempotency>,
    pub breakers: Arc<dyn BreakerStore>,
    pub settle_queue: Arc<dyn SettleQueue>,
}

impl Ports {
    /// Every port served by `store`.
    pub fn of<S>(store: &Arc<S>) -> Self
    where
        S: FindKey
            + FindPolicy
            + Counters
            + WriteLedger
            + AnswerCache
            + CacheMarks
            + Idempotency
            + BreakerStore
            + SettleQueue
            + 'static,
    {
        Ports {
            keys: store.clone(),
            policies: store.clone(),
            counters: store.clone(),
            ledger: store.clone(),
            answers: store.clone(),
            marks: store.clone(),
            idempotency: store.clone(),
            breakers: store.clone(),
            settle_queue: store.clone(),
        }
    }
}

/// The parts of a test gateway.
pub struct Setup {
    /// `ai-gateway.json`; the demo provider and a primary are added where it names none.
    pub config: Value,
    pub prices: Value,
    pub tuning: Tuning,
    pub clock: Arc<dyn Clock>,
    pub store: Arc<MemoryStore>,
    /// How the gateway reaches `store`; directly, unless a test puts something between.
    pub ports: Option<Ports>,
    pub provider: Option<Provider>,
    pub upstream: Option<Arc<dyn Upstream>>,
    pub observer: Arc<dyn Observe>,
    /// Providers of embeddings; the demo provider, unless a test has one of its own.
    pub embedder: Option<Arc<dyn EmbedText>>,
    /// None searches no near questions.
    pub semantic: Option<SemanticTier>,
}

impl Setup {
    pub fn new(config: Value) -> Self {
        Setup {
            config,
            prices: serde_json::from_str(PRICES).expect("the price list is JSON"),
            tuning: quick(),
            clock: Arc::new(SystemClock),
            store: Arc::default(),
            ports: None,
            provider: None,
            upstream: None,
            observer: Arc::new(Unobserved),
            embedder: None,
            semantic: None,
        }
    }

    /// With a semantic tier over the same store, which is returned as well.
    pub fn semantic(mut self) -> (Self, Semantic) {
        let cache = if self.config["cache"].is_null() { json!({}) } else { self.config["cache"].clone() };
        // Nobody is called there: the routes of the cache only must name a provider that is known.
        let nowhere = json!({ "base_url": "http://127.0.0.1:9/v1", "local": true });
        let config = json!({ "cache": cache, "providers": { "demo": nowhere } }).to_string();
        let config = Config::parse(&config).unwrap_or_else(|faults| panic!("{faults}"));
        let semantic = Semantic::new(&config.cache, &self.store, &self.clock);
        self.semantic = Some(semantic.tier());
        (self, semantic)
    }

    /// Gives `models` the price of the demo's.
    pub fn price_as_the_demo(&mut self, models: &str) {
        let rows = self.prices["prices"].as_array_mut().expect("rows");
        let mut row = rows.iter().find(|row| row["model"] == "demo/*").expect("the demo's price").clone();
        (row["model"], row["id"]) = (json!(models), json!(format!("{models}@2024-01-01")));
        rows.push(row);
    }

    pub async fn start(mut self) -> TestApp {
        let provider = match self.provider.take() {
            Some(provider) => provider,
            None => Provider::start().await,
        };
        let config = self.complete_config(&provider);
        let prices = Prices::parse(&self.prices.to_string()).expect("valid prices");
        let providers = Provider::clients(&config);
        let upstream = self.upstream.unwrap_or_else(|| providers.clone());
        let ports = self.ports.unwrap_or_else(|| Ports::of(&self.store));
        let breaker = &config.routing.circuit_breaker;
        let settings = BreakerSettings {
            threshold: breaker.threshold,
            reset: Duration::from_millis(breaker.reset_timeout_ms),
        };
        let pepper = Pepper { version: 1, secret: b"a pepper for tests".to_vec() };
        let admin = Admin {
            registry: Registry::new(
                self.store.clone(),
                self.store.clone(),
                self.store.clone(),
                self.store.clone(),
                self.store.clone(),
            ),
            clock: Arc::clone(&self.clock),
            pepper: pepper.clone(),
            admin_key: "an admin key for tests".to_owned(),
        };
        let overview = Overview::new(self.store.clone(), self.store.clone(), Vec::new());
        let office = Office { admin, overview, files: Files::load(None) };
        let app = App {
            prices: (&prices).into(),
            pepper,
            tuning: self.tuning,
            marks: Arc::new(WarmMarks::new(ports.marks, Arc::clone(&self.clock))),
            semantic: self.semantic,
            clock: self.clock,
            randomness: Arc::new(OsRandomness),
            keys: ports.keys,
            policies: ports.policies,
            counters: ports.counters,
            refusals: self.store.clone(),
            ledger: ports.ledger,
            answers: ports.answers,
            idempotency: ports.idempotency,
            breakers: Breakers::new(ports.breakers, settings),
            settle_queue: ports.settle_queue,
            upstream,
            embedder: self.embedder.unwrap_or_else(|| providers.clone()),
            counter: providers,
            observer: self.observer,
            config,
        };
        TestApp { app: Arc::new(app), store: self.store, provider, office }
    }

    fn complete_config(&self, provider: &Provider) -> Config {
        let mut config = self.config.clone();
        if config["routing"]["primary"].is_null() {
            config["routing"]["primary"] = json!("demo/ok");
        }
        if config["providers"]["demo"].is_null() {
            config["providers"]["demo"] = provider.entry();
        }
        Config::parse(&config.to_string()).unwrap_or_else(|faults| panic!("{faults}"))
    }
}

/// Short waits for faults, long ones where a test that is slow to be scheduled must not notice.
fn quick() -> Tuning {
    Tuning {
        idle: Duration::from_millis(400),
        ping: Duration::from_secs(10),
        settle: Duration::from_secs(2),
        closing: Duration::from_millis(100),
        retry: Duration::from_millis(20),
    }
}
