//! An `App` over the stores under test, with one key, one counter and a gremlin.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared::app::authenticate::authenticate_token;
use shared::app::breakers::Breakers;
use shared::app::error::GatewayError;
use shared::app::observation::Unobserved;
use shared::app::random::OsRandomness;
use shared::app::reserve::{Purpose, reserve};
use shared::app::route::Target;
use shared::app::spender::{OnBehalf, Spender};
use shared::app::warm_marks::WarmMarks;
use shared::app::{App, Tuning};
use shared::config::{Config, ModelName};
use shared::domain::bound::Bound;
use shared::domain::breaker::BreakerSettings;
use shared::domain::counter::{Counter, CounterKey, ScopeKind};
use shared::domain::id::AttemptId;
use shared::domain::key::{KeyRecord, Pepper, PresentedKey, generate};
use shared::domain::ledger::{LINE_VERSION, LedgerLine, Outcome, Quality};
use shared::domain::policy::{Budget, Policy};
use shared::domain::price::{ModelLimits, Price};
use shared::domain::price_book::PriceBook;
use shared::domain::reservation::Reservation;
use shared::domain::time::{Period, Timestamp};
use shared::domain::usage::TokenUsage;
use shared::memory::MemoryStore;
use shared::ports::{AttemptError, ChunkStream, Clock, CountTokens, Counters, EmbedText, Upstream};
use shared::protocol::canonical::ChatRequest;
use shared::protocol::embeddings::{EmbedRequest, Embeddings};
use shared::protocol::outbound::{Flavour, Outbound};

use super::gremlin::{self, Gremlin, GremlinCounters};
use crate::contract::samples::{NOW, nano};
use crate::contract::stores::Stores;

pub(super) const CAP: i64 = 100_000;
pub(super) const HOLD: i64 = 300;

pub(super) struct Rig {
    pub(super) app: App,
    pub(super) stores: Stores,
    pub(super) gremlin: Arc<Gremlin>,
    spender: Spender,
    target: Target,
}

/// Time stands still, so that no minute ends in the middle of a test.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// Reserves are tested, not providers.
struct NoProvider;

#[async_trait]
impl CountTokens for NoProvider {
    async fn count(&self, _: &ModelName, _: &ChatRequest) -> Result<u64, AttemptError> {
        Err(AttemptError::Connect("no provider".to_owned()))
    }
}

#[async_trait]
impl EmbedText for NoProvider {
    async fn embed(&self, _: &Reservation, _: &EmbedRequest) -> Result<Embeddings, AttemptError> {
        Err(AttemptError::Connect("no provider".to_owned()))
    }
}

#[async_trait]
impl Upstream for NoProvider {
    async fn open(&self, _: &Reservation, _: &ChatRequest) -> Result<ChunkStream, AttemptError> {
        Err(AttemptError::Connect("there is no provider".to_owned()))
    }

    fn outbound(&self, _: &ModelName) -> Option<Outbound> {
        Some(Outbound::OpenAi(Flavour::Compatible))
    }
}

impl Rig {
    /// One admitted and settled request has made the counter already.
    pub(super) async fn over(stores: &Stores) -> Rig {
        let gremlin = Arc::new(Gremlin::default());
        let (stores, counters): (Stores, Arc<dyn Counters>) = match stores.dynamo() {
            Some(dynamo) => {
                let stores = dynamo.through(gremlin::through(&gremlin, dynamo.http.clone()));
                let counters = Arc::clone(&stores.counters);
                (stores, counters)
            }
            None => {
                let stores = stores.elsewhere();
                let inner = Arc::clone(&stores.counters);
                (stores, Arc::new(GremlinCounters { inner, gremlin: Arc::clone(&gremlin) }))
            }
        };
        let (record, token) = key();
        stores.manage_keys.create(&record).await.expect("a key");
        let app = app(&stores, counters);
        let caller = authenticate_token(&app, Some(&token)).await.expect("the key's holder");
        let target = Target { model: "demo/ok".parse().expect("a model"), price: Arc::new(price()) };
        let spender = Spender::of(&app, caller, OnBehalf::default()).await.expect("policies are readable");
        let rig = Rig { app, stores, gremlin, spender, target };
        let first = rig.reserve().await.expect("admitted");
        rig.app.counters.close(&closing(&rig, &first)).await.expect("closed");
        rig.gremlin.forget();
        rig
    }

    pub(super) fn key_id(&self) -> &str {
        &self.spender.caller().record().id
    }

    pub(super) async fn reserve(&self) -> Result<Reservation, GatewayError> {
        let bound = Bound { amount: nano(HOLD), max_output_tokens: 10, tokens: 20 };
        let purpose = Purpose {
            spender: &self.spender,
            request: AttemptId::new(NOW, 0),
            target: &self.target,
            bound,
            for_lookup: false,
            expires: NOW + Duration::from_secs(60),
        };
        reserve(&self.app, &purpose).await.map(|(reservation, _)| reservation)
    }

    pub(super) async fn counter(&self) -> Counter {
        let key = CounterKey::new(ScopeKind::Key, self.key_id(), Period::Month, NOW);
        self.stores.counters.read(&key).await.expect("readable").expect("a counter")
    }

    pub(super) async fn lines(&self) -> Vec<LedgerLine> {
        self.stores.read_ledger.of_key(self.key_id(), Timestamp::default(), 1_000).await.expect("readable")
    }

    pub(super) fn line(&self, reservation: &Reservation, amount: i64) -> LedgerLine {
        let facts = reservation.facts();
        LedgerLine {
            version: LINE_VERSION,
            id: reservation.id(),
            request: facts.request,
            tenant: facts.tenant.clone(),
            key_id: facts.key.clone(),
            user: None,
            model: facts.model.clone(),
            price: facts.price.clone(),
            quality: Quality::Exact,
            amount: nano(amount),
            reserved: nano(HOLD),
            usage: TokenUsage { uncached: 3, output: 1, ..TokenUsage::default() },
            outcome: Outcome::Completed,
            items: reservation.items().to_vec(),
            at: NOW,
            notes: None,
        }
    }
}

fn closing(rig: &Rig, reservation: &Reservation) -> shared::domain::counter::Close {
    let key = CounterKey::new(ScopeKind::Key, rig.key_id(), Period::Month, NOW);
    shared::domain::counter::Close {
        key,
        id: reservation.id(),
        billed: nano(0),
        billed_tokens: 0,
        withdrawn: true,
    }
}

fn pepper() -> Pepper {
    Pepper { version: 1, secret: b"pepper".to_vec() }
}

fn key() -> (KeyRecord, String) {
    let (id, token) = generate(&[7; 52]);
    let presented = PresentedKey::parse(&token).expect("a generated key");
    let record = KeyRecord {
        id,
        digest: presented.digest(&pepper()),
        pepper_version: 1,
        name: "test".to_owned(),
        tenant: "acme".to_owned(),
        team: None,
        policy: Policy {
            budgets: vec![Budget { cap: nano(CAP), period: Period::Month }],
            ..Policy::default()
        },
        models: None,
        created_at: NOW,
        revoked_at: None,
    };
    (record, token)
}

fn price() -> Price {
    let limits = ModelLimits { context_window: 1_000, max_output_tokens: 100, image_tokens_max: None };
    Price { id: "demo/*@2026-01-01".to_owned(), limits, ..Price::default() }
}

fn app(stores: &Stores, counters: Arc<dyn Counters>) -> App {
    let settings = BreakerSettings { threshold: 5, reset: Duration::from_secs(30) };
    App {
        config: Config::parse("{}").expect("the defaults"),
        prices: PriceBook::default(),
        pepper: pepper(),
        tuning: Tuning { settle: Duration::from_secs(20), ..Tuning::default() },
        clock: Arc::new(Still),
        randomness: Arc::new(OsRandomness),
        keys: stores.find_key.clone(),
        policies: stores.find_policy.clone(),
        counters,
        refusals: Arc::new(MemoryStore::default()),
        ledger: stores.write_ledger.clone(),
        answers: stores.answers.clone(),
        marks: Arc::new(WarmMarks::new(stores.marks.clone(), Arc::new(Still))),
        semantic: None,
        idempotency: stores.idempotency.clone(),
        breakers: Breakers::new(stores.breakers.clone(), settings),
        settle_queue: Arc::new(MemoryStore::default()),
        upstream: Arc::new(NoProvider),
        embedder: Arc::new(NoProvider),
        counter: Arc::new(NoProvider),
        observer: Arc::new(Unobserved),
    }
}
