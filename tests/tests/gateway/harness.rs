//! One gateway for one test. Short times, so that silence is noticed soon.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt;
use local::demo::{self, Demo};
use serde_json::{Value, json};
use shared::app::administer::Admin;
use shared::app::breakers::Breakers;
use shared::app::{App, Tuning};
use shared::clock::SystemClock;
use shared::config::{Config, Prices};
use shared::domain::breaker::BreakerSettings;
use shared::domain::counter::{Counter, CounterKey};
use shared::domain::key::Pepper;
use shared::domain::ledger::LedgerLine;
use shared::memory::MemoryStore;
use shared::providers::Providers;
use tokio::net::TcpListener;
use tokio::time::Instant;

pub(crate) const PRICES: &str = include_str!("../../../config/prices.json");

pub(crate) struct TestGateway {
    pub app: Arc<App>,
    pub store: Arc<MemoryStore>,
    pub demo: Demo,
    admin: Admin,
}

/// An answer read to its end.
#[derive(Debug)]
pub(crate) struct Answered {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }
}

/// Starts a scripted provider and returns it with its base URL.
pub(crate) async fn start_demo() -> (Demo, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("bound"));
    let demo = Demo::new();
    tokio::spawn(demo::serve(listener, demo.clone(), std::future::pending()));
    (demo, url)
}

pub(crate) fn tuning() -> Tuning {
    Tuning {
        idle: Duration::from_millis(400),
        ping: Duration::from_secs(10),
        retry: Duration::from_millis(20),
        ..Tuning::default()
    }
}

/// The application of one instance over `store`.
pub(crate) fn app(config: Config, store: &Arc<MemoryStore>) -> App {
    let providers = config.providers.values().map(|provider| (provider.clone(), None));
    let breaker = &config.routing.circuit_breaker;
    let settings = BreakerSettings {
        threshold: breaker.threshold,
        reset: Duration::from_millis(breaker.reset_timeout_ms),
    };
    App {
        prices: (&Prices::parse(PRICES).expect("the shipped prices")).into(),
        pepper: pepper(),
        tuning: tuning(),
        clock: Arc::new(SystemClock),
        keys: store.clone(),
        counters: store.clone(),
        ledger: store.clone(),
        answers: store.clone(),
        breakers: Breakers::new(store.clone(), settings),
        settle_queue: store.clone(),
        upstream: Arc::new(Providers::new(providers).expect("a client")),
        config,
    }
}

fn pepper() -> Pepper {
    Pepper { version: 1, secret: b"test".to_vec() }
}

impl TestGateway {
    /// `config` is laid over one that knows the provider `demo`.
    pub(crate) async fn start(config: Value) -> Self {
        let (demo, url) = start_demo().await;
        let config = with_demo(config, &url);
        let store = Arc::new(MemoryStore::default());
        TestGateway::over(Arc::new(app(config, &store)), store, demo)
    }

    pub(crate) fn over(app: Arc<App>, store: Arc<MemoryStore>, demo: Demo) -> Self {
        let admin = Admin {
            keys: store.clone(),
            clock: Arc::new(SystemClock),
            pepper: pepper(),
            admin_key: "admin".to_owned(),
        };
        TestGateway { app, store, demo, admin }
    }

    /// Makes a key; `fields` are those of `POST /admin/keys`.
    pub(crate) async fn key(&self, fields: Value) -> String {
        let mut body = fields.as_object().cloned().unwrap_or_default();
        body.entry("name").or_insert(json!("test"));
        self.admin.create(body).await.expect("a key").key.expect("shown once")
    }

    pub(crate) async fn revoke(&self, key: &str) {
        let id = key.split('_').nth(1).expect("an id");
        assert!(self.admin.revoke(id).await.expect("a store"));
    }

    pub(crate) async fn ask(&self, key: &str, body: &Value) -> Answered {
        let headers = [("authorization", format!("Bearer {key}"))];
        self.send("POST", "/v1/chat/completions", &headers, body.to_string().into_bytes()).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> Answered {
        let mut request =
            Request::builder().method(Method::from_bytes(method.as_bytes()).expect("a method")).uri(path);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Bytes::from(body)).expect("a request");
        let response = chat::handle(&self.app, request, Instant::now() + Duration::from_secs(60)).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("bodies never fail").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        Answered { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    /// Nothing is held any more, and every counter agrees with the ledger to the nano-dollar.
    pub(crate) fn assert_settled(&self, case: &str) {
        assert!(self.store.take_settlement().is_none(), "{case}: a settlement is left in the queue");
        let mut billed: BTreeMap<CounterKey, i64> = BTreeMap::new();
        for line in self.store.lines() {
            for key in &line.items {
                *billed.entry(key.clone()).or_default() += line.amount.nano();
            }
        }
        for (key, counter) in self.store.counters() {
            assert!(counter.live.is_empty(), "{case}: a hold is left in {key:?}: {:?}", counter.live);
            let spent = spent(&counter);
            assert_eq!(
                spent,
                billed.get(&key).copied().unwrap_or(0),
                "{case}: {key:?} disagrees with the ledger"
            );
        }
    }

    pub(crate) fn lines(&self) -> Vec<LedgerLine> {
        self.store.lines()
    }
}

pub(crate) fn spent(counter: &Counter) -> i64 {
    counter.cap.nano() - counter.remaining.nano()
}

pub(crate) fn with_demo(mut config: Value, url: &str) -> Config {
    config["providers"]["demo"] = json!({ "base_url": url, "local": true });
    if config["routing"]["primary"].is_null() {
        config["routing"]["primary"] = json!("demo/ok");
    }
    Config::parse(&config.to_string()).unwrap_or_else(|faults| panic!("{faults}"))
}

/// A request for one answer of `model`.
pub(crate) fn question(model: &str, stream: bool) -> Value {
    json!({ "model": model, "stream": stream, "messages": [{ "role": "user", "content": "Hello there" }] })
}

/// The same gateway, `later` than now.
pub(crate) fn at(gateway: TestGateway, later: Duration) -> TestGateway {
    struct Ahead(Duration);
    impl shared::ports::Clock for Ahead {
        fn now(&self) -> shared::domain::time::Timestamp {
            SystemClock.now() + self.0
        }
    }
    let near = app(gateway.app.config.clone(), &gateway.store);
    let app = App { clock: Arc::new(Ahead(later)), ..near };
    TestGateway::over(Arc::new(app), gateway.store, gateway.demo)
}
