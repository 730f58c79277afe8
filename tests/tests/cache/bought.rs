//! Questions that a provider embeds: who pays, what is counted, and what comes of a provider that
//! fails or is late.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use shared::domain::breaker::Breaker;
use shared::domain::ledger::{LedgerLine, Outcome, Quality};
use shared::domain::reservation::Reservation;
use shared::domain::trace::Sampler;
use shared::ports::{AttemptError, BreakerStore, EmbedText};
use shared::protocol::embeddings::{EmbedRequest, Embeddings};
use tests::{Noting, Semantic, Setup, TestApp, User, Watching, balanced};
use tokio::time::{Instant, sleep};

use super::{ASKED, ask, body, source};

/// The question once more, said so that the same is embedded.
const AGAIN: &str = "Hello! Which river flows through the old town of Ghent, please? Thanks";
const BUDGET: Duration = Duration::from_millis(70);

fn config(budget: Duration) -> Value {
    let budget = u64::try_from(budget.as_millis()).expect("it is short");
    json!({
        "cache": {
            "verify_share": 0, "semantic_threshold": 0.9, "lookup_budget_ms": budget,
            "embedder": { "provider": "demo/embed", "dimensions": 256 },
        },
        "routing": { "circuit_breaker": { "threshold": 2 } },
    })
}

async fn gateway(fields: Value) -> (TestApp, Semantic, User) {
    let (setup, semantic) = Setup::new(config(Duration::from_secs(20))).semantic();
    let gateway = setup.start().await;
    gateway.app.check().expect("an embedding model with a price");
    let user = gateway.user(fields).await;
    (gateway, semantic, user)
}

/// The lines of embedded questions, and the others.
fn lines(gateway: &TestApp, user: &User) -> (Vec<LedgerLine>, Vec<LedgerLine>) {
    gateway.lines(user).into_iter().partition(|line| line.model == "demo/embed")
}

#[tokio::test]
async fn whoever_asks_pays_for_the_vector_of_the_question_and_no_more_than_that() {
    // Neither the rate nor the holds at once have room for a request that is not the caller's.
    let (gateway, semantic, user) =
        gateway(json!({ "tenant": "acme", "budgetUsd": "5", "rpm": 2, "concurrency": 1 })).await;
    let first = ask(&gateway, &user, &[], &body(ASKED)).await;
    assert_eq!(first.header("x-tollgate-cache"), "miss");
    assert!(semantic.index().await[0].indexed);
    assert_eq!(
        gateway.demo().calls("embed"),
        1,
        "the vector is bought once, for the search and for the index"
    );
    let near = ask(&gateway, &user, &[], &body(AGAIN)).await;
    assert_eq!(
        (near.header("x-tollgate-cache"), near.header("x-tollgate-similarity")),
        ("semantic", "1.0000")
    );
    assert_eq!((gateway.demo().calls("embed"), gateway.demo().calls("ok")), (2, 1));
    gateway.settled().await;
    let (embedded, others) = lines(&gateway, &user);
    assert_eq!((embedded.len(), others.len()), (2, 2));
    for (line, of) in embedded.iter().zip([&first, &near]) {
        assert_eq!((line.outcome, line.quality), (Outcome::Completed, Quality::Exact));
        assert!(line.amount.nano() > 0 && line.request.to_string() == of.header("x-request-id"));
    }
    let path = format!("/v1/requests/{}", first.header("x-request-id"));
    let receipt = gateway.ask_usage("GET", &path, &user.key, None).await.json();
    assert_eq!((&receipt["cache"], &receipt["route"][0]["model"]), (&json!("miss"), &json!("demo/ok")));
    assert_eq!(
        (receipt["attempts"].as_array().map(Vec::len), receipt["route"].as_array().map(Vec::len)),
        (Some(1), Some(1))
    );
    assert_eq!(receipt["lookups"][0]["model"], "demo/embed", "{receipt}");
    let settled = embedded[0].amount.nano() + others[0].amount.nano();
    assert_eq!(receipt["settledUsd"], json!(shared::domain::money::NanoUsd::from_nano(settled)));
}

#[tokio::test]
async fn a_budget_that_is_spent_buys_no_vector() {
    let (gateway, _, user) = gateway(json!({ "budgetUsd": "0.000000001" })).await;
    let reply = gateway.complete(&user, &body(ASKED)).await;
    assert_eq!(reply.status, 402, "{}", reply.text());
    assert_eq!(gateway.demo().calls("embed"), 0);
    gateway.settled().await;
}

#[tokio::test]
async fn a_request_that_no_model_would_be_asked_buys_no_vector() {
    let (gateway, _, user) = gateway(json!({ "budgetUsd": "5" })).await;
    let mut unlisted = body(ASKED);
    unlisted["somethingNew"] = json!(1);
    assert_eq!(gateway.complete(&user, &unlisted).await.status, 400);
    assert_eq!(gateway.demo().calls("embed"), 0);
    assert!(gateway.lines(&user).is_empty());
}

#[tokio::test]
async fn what_another_embedder_indexed_is_another_partition() {
    let (gateway, semantic, user) = gateway(json!({ "tenant": "acme", "budgetUsd": "5" })).await;
    assert_eq!(source(&gateway, &user, ASKED).await, "miss");
    assert!(semantic.index().await[0].indexed);
    let other = gateway.beside(json!({ "cache": { "verify_share": 0 } }));
    let other = Setup { semantic: Some(semantic.tier()), ..other }.start().await;
    for text in [ASKED, AGAIN] {
        assert_eq!(source(&other, &user, text).await, "miss", "{text}");
    }
    let partitions: Vec<_> =
        semantic.asked.lock().expect("one thread").iter().map(|one| one.partition.clone()).collect();
    assert_ne!(partitions.first(), partitions.last());
}

#[tokio::test]
async fn an_embedder_that_no_lookup_could_use_is_refused() {
    for (model, why) in [("demo/ok", "is no embedding model"), ("openai/never-heard-of", "has no price")] {
        let mut config = config(BUDGET);
        config["cache"]["embedder"]["provider"] = json!(model);
        let refused = TestApp::start(config).await.app.check().expect_err(model);
        assert_eq!(refused, format!("cache.embedder.provider: {model} {why}"));
    }
}

/// An embedding provider that takes its time, and counts who asks.
struct Slow {
    takes: Duration,
    components: usize,
    calls: AtomicUsize,
}

#[async_trait]
impl EmbedText for Slow {
    async fn embed(&self, _: &Reservation, _: &EmbedRequest) -> Result<Embeddings, AttemptError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        sleep(self.takes).await;
        Ok(Embeddings { model: None, vectors: vec![vec![1.0; self.components]], tokens: Some(3) })
    }
}

/// A gateway in front of it, and of a model that answers at once.
async fn in_front_of(
    takes: Duration,
    components: usize,
) -> (TestApp, Semantic, User, Arc<Slow>, Arc<Noting>) {
    let (mut setup, semantic) = Setup::new(config(BUDGET)).semantic();
    let slow = Arc::new(Slow { takes, components, calls: AtomicUsize::new(0) });
    let model = Arc::new(Noting::default());
    setup.embedder = Some(slow.clone());
    setup.upstream = Some(model.clone());
    let gateway = setup.start().await;
    let user = gateway.user(json!({ "tenant": "acme", "budgetUsd": "5", "concurrency": 1 })).await;
    (gateway, semantic, user, slow, model)
}

/// How long the model had to wait for a question of its own.
async fn waited(gateway: &TestApp, user: &User, model: &Noting, number: u32) -> Duration {
    let begun = Instant::now();
    let reply = ask(gateway, user, &[], &body(&format!("{ASKED}, bridge {number}"))).await;
    assert_eq!(reply.header("x-tollgate-cache"), "miss");
    model.asked_at().expect("asked") - begun
}

async fn breaker(gateway: &TestApp, target: &str) -> Breaker {
    gateway.store.read(target).await.expect("a store").breaker
}

#[tokio::test(start_paused = true)]
async fn a_late_vector_is_a_miss_and_opens_no_circuit_but_its_own() {
    let (gateway, semantic, user, slow, model) = in_front_of(BUDGET + Duration::from_millis(1), 256).await;
    for (number, waits) in [(1, BUDGET), (2, BUDGET), (3, Duration::ZERO)] {
        let waited = waited(&gateway, &user, &model, number).await;
        // Timers are a millisecond coarse.
        assert!(waited >= waits && waited <= waits + Duration::from_millis(2), "{number}: {waited:?}");
    }
    assert_eq!(slow.calls.load(Ordering::SeqCst), 2, "the third is not even asked");
    assert!(breaker(&gateway, "cache:demo/embed").await.open_until.is_some());
    for other in ["demo/embed", "demo/ok"] {
        assert_eq!(breaker(&gateway, other).await, Breaker::default(), "{other}");
    }
    balanced(&gateway.store).await;
    let (embedded, _) = lines(&gateway, &user);
    // It may bill what it was asked, so the whole hold is charged.
    let billed = |line: &LedgerLine| (line.outcome, line.quality, line.amount == line.reserved);
    assert!(embedded.iter().all(|line| billed(line) == (Outcome::FailedBilled, Quality::Estimated, true)));
    assert_eq!(embedded.len(), 2);
    assert_eq!(semantic.jobs.take(), [], "without a vector there is nothing to be indexed");
    assert!(semantic.asked.lock().expect("one thread").is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_event_of_a_request_tells_of_its_vector_and_takes_none_of_that_time_for_the_gateways() {
    let watching = Watching::new(Some(Sampler::ALL));
    let (mut setup, _) = Setup::new(config(BUDGET)).semantic();
    let takes = BUDGET / 2;
    setup.embedder = Some(Arc::new(Slow { takes, components: 256, calls: AtomicUsize::new(0) }));
    setup.upstream = Some(Arc::new(Noting::default()));
    let gateway = Setup { observer: watching.clone(), ..setup }.start().await;
    let user = gateway.user(json!({ "tenant": "acme", "budgetUsd": "5" })).await;
    ask(&gateway, &user, &[], &body(ASKED)).await;
    balanced(&gateway.store).await;
    let event = watching.one();
    let [lookup] = event.lookups.as_slice() else { panic!("{event:?}") };
    assert_eq!((lookup.model.name.as_str(), lookup.to.saturating_sub(lookup.from)), ("demo/embed", takes));
    assert!(lookup.span.is_some() && event.attempts.len() == 1 && event.fell_back() == Some(false));
    assert!(event.gateway() + takes <= event.duration(), "{event:?}");
    let paid: i64 = gateway.lines(&user).iter().map(|line| line.amount.nano()).sum();
    assert_eq!(event.cost.nano(), paid);
}

#[tokio::test(start_paused = true)]
async fn vectors_of_another_length_are_paid_for_and_not_used() {
    let (gateway, semantic, user, ..) = in_front_of(Duration::ZERO, 128).await;
    ask(&gateway, &user, &[], &body(ASKED)).await;
    balanced(&gateway.store).await;
    let (embedded, _) = lines(&gateway, &user);
    assert_eq!((embedded[0].outcome, embedded[0].usage.input()), (Outcome::Completed, 3));
    assert_eq!(semantic.jobs.take(), []);
}
