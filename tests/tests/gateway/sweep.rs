//! Holds that a dead instance left behind, met by the next request and by the periodic pass.

use std::sync::Arc;
use std::time::Duration;

use alerts::Alerts;
use serde_json::json;
use shared::app::sweep::{MARGIN, Tally};
use shared::clock::SystemClock;
use shared::domain::counter::{
    Allowance, CounterKey, Hold, HoldFacts, Part, RateLimits, Reserve, ScopeKind, WindowForm,
};
use shared::domain::id::AttemptId;
use shared::domain::ledger::{LedgerLine, Outcome, Quality};
use shared::domain::money::NanoUsd;
use shared::domain::time::{Period, Timestamp};
use shared::ports::{Clock, Counters, ReserveReply};
use tests::{NoSinks, TestApp, User, question, watch};

const BUDGET: NanoUsd = NanoUsd::from_nano(50_000_000);

fn late() -> Timestamp {
    SystemClock.now() - MARGIN - Duration::from_secs(1)
}

/// All of the budget of `user`, held in its key by somebody who had to settle by `expires`, and
/// perhaps meant to be held in a token as well.
async fn hold_all(gateway: &TestApp, user: &User, expires: Timestamp, with_token: bool) -> AttemptId {
    let now = SystemClock.now();
    let key = CounterKey::new(ScopeKind::Key, &user.id, Period::Month, now);
    let token = CounterKey::new(ScopeKind::Token, "of-a-browser", Period::Total, now);
    let counters = [Some(key.clone()), with_token.then_some(token)];
    let items = counters.into_iter().flatten().map(|counter| Part { counter, amount: BUDGET }).collect();
    let id = AttemptId::new(now, 7);
    let facts = HoldFacts {
        request: id,
        tenant: "default".to_owned(),
        key: user.id.clone(),
        model: "demo/ok".to_owned(),
        price: "demo/*@2024-01-01".to_owned(),
        for_lookup: false,
    };
    let window = now.minute();
    let hold = Hold { amount: BUDGET, tokens: 0, window, items, expires, facts };
    let (limits, form) = (RateLimits::default(), WindowForm::Create);
    let allowance = Allowance { cap: BUDGET, ..Allowance::default() };
    let write = Reserve { key, id, hold: Some(hold), allowance, limits, window, tokens: 0, form };
    let reply = gateway.store.reserve(&write).await.expect("memory");
    assert!(matches!(reply, ReserveReply::Held(_)), "{reply:?}");
    id
}

async fn somebody(gateway: &TestApp) -> User {
    gateway.user(json!({ "budgetUsd": "0.05", "period": "month" })).await
}

fn line_of(gateway: &TestApp, user: &User, id: AttemptId) -> Option<LedgerLine> {
    gateway.lines(user).into_iter().find(|line| line.id == id)
}

#[tokio::test]
async fn a_request_that_finds_no_room_sweeps_what_was_never_dispatched_and_is_served() {
    let gateway = TestApp::start(json!({})).await;
    let user = somebody(&gateway).await;
    let dead = hold_all(&gateway, &user, late(), true).await;
    let reply = gateway.complete(&user, &question("demo/ok", false)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let line = line_of(&gateway, &user, dead).expect("a line");
    assert_eq!((line.outcome, line.amount), (Outcome::Abandoned, NanoUsd::ZERO));
    gateway.settled().await;
}

#[tokio::test]
async fn what_may_have_been_dispatched_is_charged_and_the_request_is_refused() {
    let gateway = TestApp::start(json!({})).await;
    let user = somebody(&gateway).await;
    let dead = hold_all(&gateway, &user, late(), false).await;
    for _ in 0..2 {
        let reply = gateway.complete(&user, &question("demo/ok", false)).await;
        assert_eq!(reply.status, 402, "{}", reply.text());
    }
    let line = line_of(&gateway, &user, dead).expect("a line");
    assert_eq!((line.quality, line.amount), (Quality::Estimated, BUDGET));
    assert_eq!(gateway.demo().calls("ok"), 0);
}

#[tokio::test]
async fn a_hold_that_may_still_be_settled_is_left_alone() {
    let gateway = TestApp::start(json!({})).await;
    let user = somebody(&gateway).await;
    let alive = hold_all(&gateway, &user, SystemClock.now(), true).await;
    let reply = gateway.complete(&user, &question("demo/ok", false)).await;
    assert_eq!(reply.status, 402, "{}", reply.text());
    assert_eq!(line_of(&gateway, &user, alive), None);
}

#[tokio::test]
async fn the_periodic_pass_sweeps_without_a_request() {
    let gateway = TestApp::start(json!({})).await;
    let user = somebody(&gateway).await;
    hold_all(&gateway, &user, late(), true).await;
    let store = &gateway.store;
    let watch = watch(store, Arc::new(NoSinks), Vec::new());
    let alerts = Alerts::new(store.clone(), store.clone(), store.clone(), Arc::new(SystemClock), watch);
    let expected = Tally { counters: 1, voided: 1, finished: true, ..Tally::default() };
    assert_eq!(alerts::run(&alerts).await.expect("listed").swept, expected);
    let answer = alerts::handle(&alerts).await.expect("listed");
    assert_eq!(answer["swept"]["voided"], 0);
    gateway.settled().await;
}

#[tokio::test]
async fn a_counter_that_only_fences_is_opened_by_the_next_request() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "budgetUsd": "1" })).await;
    let now = SystemClock.now();
    let key = CounterKey::new(ScopeKind::Key, &user.id, Period::Month, now);
    assert!(gateway.store.fence(&key, AttemptId::new(now, 1)).await.expect("memory"));
    let reply = gateway.complete(&user, &question("demo/ok", false)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    gateway.settled().await;
}
