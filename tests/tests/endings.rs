//! How requests end when something other than the provider's first word goes wrong: pings have
//! committed the status, the caller leaves, time runs out, the ledger is slow, the money is short.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use http::Request;
use serde_json::{Value, json};
use shared::app::settle::settle;
use shared::domain::ledger::{LedgerLine, Outcome, Quality};
use shared::memory::MemoryStore;
use shared::ports::{LineMark, PutLine, StoreError, WriteLedger};
use tests::{COMPLETIONS, Ports, Reply, Setup, TestApp, User, question};
use tokio::time::Instant;

const HEALTHY: &str = "demo/ok";
/// Milliseconds that a primary has for its first token where a test waits for it to fail.
const FIRST_TOKEN_MS: u64 = 400;

fn ends_well(reply: &Reply) -> bool {
    reply.finishes() == ["stop"] && reply.events().last().is_some_and(|event| event == "[DONE]")
}

/// The error of a stream that must end with one.
fn error_at_the_end(reply: &Reply) -> Value {
    let events = reply.events();
    assert!(!events.iter().any(|event| event == "[DONE]"), "{events:?}");
    assert_eq!(reply.finishes(), Vec::<String>::new(), "a made-up finish");
    let last: Value = serde_json::from_str(events.last().expect("an event")).expect("JSON");
    last["error"].clone()
}

/// A gateway whose pings come before its silent primary is given up.
async fn pinging(fallbacks: &[&str]) -> (TestApp, User) {
    let primary = "demo/hang";
    let mut setup = Setup::new(json!({
        "routing": { "primary": primary, "fallbacks": fallbacks, "timeouts": { primary: FIRST_TOKEN_MS } },
    }));
    setup.tuning.ping = Duration::from_millis(100);
    let gateway = setup.start().await;
    let user = gateway.user(json!({ "budgetUsd": "5" })).await;
    (gateway, user)
}

#[tokio::test]
async fn a_failure_after_a_ping_is_told_in_the_stream() {
    let (gateway, user) = pinging(&[]).await;
    let reply = gateway.complete(&user, &question("demo/hang", true)).await;
    assert_eq!(reply.status, 200);
    assert!(reply.text().starts_with(':'), "{}", reply.text());
    assert_eq!(error_at_the_end(&reply)["code"], "degraded");
    gateway.settled().await;
}

#[tokio::test]
async fn a_fallback_after_pings_still_answers_in_full() {
    let (gateway, user) = pinging(&[HEALTHY]).await;
    let reply = gateway.complete(&user, &question("demo/hang", true)).await;
    assert!(reply.status == 200 && ends_well(&reply), "{}", reply.text());
    gateway.settled().await;
}

#[tokio::test]
async fn a_lone_provider_is_asked_once_more_and_each_call_has_its_line() {
    let gateway = TestApp::start(json!({ "routing": { "primary": "demo/500" } })).await;
    let user = gateway.user(json!({ "budgetUsd": "5" })).await;
    let reply = gateway.complete(&user, &question("demo/500", false)).await;
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert_eq!((gateway.demo().calls("500"), gateway.lines(&user).len()), (2, 2));
    gateway.settled().await;
}

#[tokio::test]
async fn what_may_have_been_billed_is_not_repeated() {
    let gateway = TestApp::start(json!({ "routing": { "primary": "demo/cut-3" } })).await;
    let user = gateway.user(json!({ "budgetUsd": "5" })).await;
    let reply = gateway.complete(&user, &question("demo/cut-3", false)).await;
    assert_eq!((reply.status, reply.header("x-should-retry")), (503, "false"), "{}", reply.text());
    assert_eq!(gateway.demo().calls("cut-3"), 1);
    assert_eq!(gateway.lines(&user)[0].outcome, Outcome::FailedBilled);
    gateway.settled().await;
}

#[tokio::test]
async fn a_caller_who_leaves_is_settled_at_what_the_answer_cost() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "budgetUsd": "5" })).await;
    let body = question("demo/pace-30", true);
    let asking = gateway.complete(&user, &body);
    assert!(tokio::time::timeout(Duration::from_millis(150), asking).await.is_err(), "left too late");
    while gateway.lines(&user).is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    gateway.settled().await;
    let line = &gateway.lines(&user)[0];
    assert_eq!((line.outcome, line.quality), (Outcome::Completed, Quality::Exact));
}

/// A question that is still being answered when the function's time is over.
async fn cut_short(gateway: &TestApp, user: &User, stream: bool) -> (Reply, bool) {
    let body = question("demo/pace-50+tokens-100", stream);
    let request = Request::post(COMPLETIONS)
        .header("x-api-key", &user.key)
        .body(Bytes::from(body.to_string()))
        .expect("a request");
    let deadline = Instant::now() + Duration::from_millis(800);
    let reply = Reply::read(chat::handle(&gateway.app, request, deadline).await).await;
    (reply, Instant::now() < deadline)
}

#[tokio::test]
async fn when_the_functions_time_runs_out_the_end_is_honest_and_in_time() {
    for stream in [true, false] {
        let gateway = Setup {
            tuning: shared::app::Tuning {
                closing: Duration::from_millis(400),
                ..Setup::new(json!({})).tuning
            },
            ..Setup::new(json!({}))
        };
        let gateway = gateway.start().await;
        let user = gateway.user(json!({ "budgetUsd": "5" })).await;
        let (reply, in_time) = cut_short(&gateway, &user, stream).await;
        assert!(in_time, "stream {stream}: the end came after the deadline");
        if stream {
            assert_eq!(error_at_the_end(&reply)["code"], "upstream_failed");
        } else {
            assert_eq!(reply.json()["error"]["code"], "degraded", "{}", reply.text());
        }
        gateway.settled().await;
        assert_eq!(gateway.lines(&user)[0].outcome, Outcome::FailedBilled);
    }
}

#[tokio::test]
async fn a_provider_that_ignores_its_limit_is_cut_off_when_the_answer_has_cost_its_hold() {
    for stream in [true, false] {
        let gateway = TestApp::start(json!({})).await;
        let user = gateway.user(json!({ "budgetUsd": "5" })).await;
        let mut body = question("demo/tokens-4000+deaf", stream);
        body["max_tokens"] = json!(8);
        let reply = gateway.complete(&user, &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        if stream {
            assert_eq!(
                (reply.finishes(), reply.events().last().map(String::as_str)),
                (vec!["length".to_owned()], Some("[DONE]"))
            );
            assert!(reply.text().contains(": stopped cost_limit"), "the reason is told");
        } else {
            assert_eq!(reply.json()["choices"][0]["finish_reason"], "length");
            assert_eq!(reply.header("x-tollgate-stop"), "cost_limit");
        }
        let written = if stream { reply.streamed_text().len() } else { reply.text().len() };
        assert!(written < 12_000, "{written} bytes went out");
        let line = &gateway.lines(&user)[0];
        assert_eq!((line.outcome, line.quality), (Outcome::Stopped, Quality::Estimated));
        assert!(line.amount >= line.reserved, "no less is charged than was held");
    }
}

#[tokio::test]
async fn what_is_free_is_never_cut_off() {
    let free = json!({
        "id": "demo/free@2024-01-01", "model": "demo/tokens-30", "valid_from": "2024-01-01", "unit": "usd_micro_per_mtok",
        "input": 0, "output": 0, "free": true, "context_window": 1000, "max_output_tokens": 100,
        "source": "a test", "checked": "2026-11-24",
    });
    let mut setup = Setup::new(json!({}));
    setup.prices["prices"].as_array_mut().expect("rows").push(free);
    let gateway = setup.start().await;
    let user = gateway.user(json!({ "budgetUsd": "5" })).await;
    let reply = gateway.complete(&user, &question("demo/tokens-30", true)).await;
    assert_eq!(reply.finishes(), ["stop"], "{}", reply.text());
    assert_eq!(gateway.lines(&user)[0].outcome, Outcome::Completed);
    gateway.settled().await;
}

/// A ledger that takes longer than a reply may be held up for.
struct SlowLedger(Arc<MemoryStore>);

#[async_trait]
impl WriteLedger for SlowLedger {
    async fn put(&self, line: &LedgerLine) -> Result<PutLine, StoreError> {
        tokio::time::sleep(Duration::from_secs(5)).await;
        WriteLedger::put(self.0.as_ref(), line).await
    }

    async fn find(&self, tenant: &str, line: LineMark) -> Result<Option<LedgerLine>, StoreError> {
        WriteLedger::find(self.0.as_ref(), tenant, line).await
    }

    async fn correct(&self, estimated: &LedgerLine, exact: &LedgerLine) -> Result<bool, StoreError> {
        self.0.correct(estimated, exact).await
    }
}

#[tokio::test]
async fn a_slow_ledger_does_not_hold_up_the_answer_and_the_queue_settles_it() {
    let mut setup = Setup::new(json!({}));
    let ledger = Arc::new(SlowLedger(Arc::clone(&setup.store)));
    setup.ports = Some(Ports { ledger, ..Ports::of(&setup.store) });
    setup.tuning.settle = Duration::from_millis(50);
    let gateway = setup.start().await;
    let user = gateway.user(json!({ "budgetUsd": "5" })).await;
    let reply = gateway.complete(&user, &question(HEALTHY, true)).await;
    assert!(reply.status == 200 && ends_well(&reply), "{}", reply.text());
    let line = gateway.store.take_settlement().expect("a settlement in the queue");
    for _ in 0..2 {
        settle(gateway.store.as_ref(), gateway.store.as_ref(), &line)
            .await
            .expect("settled, again and again");
    }
    gateway.settled().await;
}

#[tokio::test]
async fn forty_at_once_never_spend_past_the_cap() {
    let gateway = TestApp::start(json!({})).await;
    // Each holds about 500 micro-dollars, so that about ten fit at a time.
    let user = gateway.user(json!({ "budgetUsd": "0.005" })).await;
    let body = question("demo/delay-100", false);
    let replies = join_all((0..40).map(|_| gateway.complete(&user, &body))).await;
    let of_status = |status: u16| replies.iter().filter(|reply| reply.status == status).count();
    let (served, refused) = (of_status(200), of_status(402));
    assert_eq!(served + refused, 40);
    assert!(served >= 1 && refused >= 1, "{served} served, {refused} refused");
    gateway.settled().await;
    for (_, counter) in gateway.store.counters() {
        assert!(counter.remaining.nano() >= 0, "{counter:?}");
    }
}
