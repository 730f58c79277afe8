//! A key that spends unlike itself, from its lines in the ledger to the answer of the gateway.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shared::app::anomaly::{Known, Watch};
use shared::config::AnomalyMode;
use shared::domain::alert::{About, Severity, ThrottleAction};
use shared::domain::anomaly::{History, Hour, Settings};
use shared::domain::counter::ScopeState;
use shared::domain::id::AttemptId;
use shared::domain::ledger::{LINE_VERSION, LedgerLine, Outcome, Quality};
use shared::domain::money::NanoUsd;
use shared::domain::policy::Throttle;
use shared::domain::time::Timestamp;
use shared::domain::usage::TokenUsage;
use shared::ports::{Clock, FindKey, KeepSpend, WriteLedger};
use tests::{Set, Setup, TestApp, Told, UsageParts, User, question};
use usage::Usage;

/// 2027-01-15T08:10:00Z.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_600_000);
/// What a request costs usually.
const CENT: i64 = 10_000_000;

struct Scene {
    gateway: TestApp,
    clock: Arc<Set>,
    told: Arc<Told>,
    usage: Usage,
    user: User,
    lines: u128,
}

impl Scene {
    /// A key that has made 300 requests an hour for four weeks, five a minute.
    async fn new(mode: AnomalyMode) -> Self {
        let clock = Arc::new(Set::at(NOW));
        let setup = Setup { clock: clock.clone() as Arc<dyn Clock>, ..Setup::new(json!({})) };
        let gateway = setup.start().await;
        let user = gateway.user(json!({ "tenant": "acme" })).await;
        let hour = Hour { cost: NanoUsd::from_nano(300 * CENT), requests: 300, busiest: 11 };
        let history = History::default().extended(NOW.hour() - 672, &[hour; 672]);
        gateway.store.put_history(&user.id, &history).await.expect("put");
        let told = Arc::new(Told::default());
        let store = &gateway.store;
        let watch = Watch {
            mode,
            settings: Settings::default(),
            spend: store.clone(),
            rollups: store.clone(),
            keys: store.clone(),
            manage_keys: store.clone(),
            counters: store.clone(),
            alerts: Some(told.clone()),
            clock: clock.clone(),
            known: Known::default(),
        };
        let parts = UsageParts { clock: clock.clone(), watch: Some(watch), ..UsageParts::of(store) };
        let usage = parts.function(gateway.app.pepper.clone());
        Scene { gateway, clock, told, usage, user, lines: 0 }
    }

    /// So many requests were answered a few seconds ago, and the ledger's stream says so.
    async fn used(&mut self, requests: u128, cost: i64, quality: Quality) {
        let now = self.clock.now();
        let mut dirty = BTreeSet::new();
        for n in self.lines..self.lines + requests {
            let at = now - Duration::from_secs(u64::try_from(n % 20).expect("small"));
            let id = AttemptId::new(at, n);
            let line = LedgerLine {
                version: LINE_VERSION,
                id,
                request: id,
                tenant: "acme".to_owned(),
                key_id: self.user.id.clone(),
                user: None,
                model: "demo/ok".to_owned(),
                price: "demo/*@2026-01-01".to_owned(),
                quality,
                amount: NanoUsd::from_nano(cost),
                reserved: NanoUsd::from_nano(cost),
                usage: TokenUsage::default(),
                outcome: Outcome::Completed,
                items: Vec::new(),
                at,
                notes: None,
            };
            dirty.insert(line.partition());
            self.gateway.store.put(&line).await.expect("put");
        }
        self.lines += requests;
        assert_eq!(usage::recompute(&self.usage, &dirty).await, BTreeSet::new());
    }

    async fn later(&self, seconds: u64) {
        self.clock.forward(Duration::from_secs(seconds));
    }

    async fn throttle(&self) -> Option<Throttle> {
        let record = self.gateway.store.find(&self.user.id).await.expect("a store").expect("a key");
        record.policy.throttle
    }

    async fn state(&self) -> ScopeState {
        let now = self.clock.now();
        self.throttle()
            .await
            .filter(|throttle| throttle.bars(now))
            .map_or(ScopeState::Active, |one| one.state)
    }

    /// How many of so many requests are admitted, and the last answer.
    async fn ask(&mut self, most: usize) -> (usize, u16, Value) {
        let mut admitted = 0;
        for n in 0..most {
            let mut body = question("demo/ok", false);
            body["messages"][0]["content"] = json!(format!("Question {n} at {}", self.clock.now().millis()));
            let reply = self.gateway.complete(&self.user, &body).await;
            if reply.status != 200 {
                return (admitted, reply.status, reply.json()["error"]["code"].clone());
            }
            admitted += 1;
        }
        (admitted, 200, Value::Null)
    }

    fn actions(&self) -> Vec<ThrottleAction> {
        let actions = self.told.all().into_iter().map(|alert| match alert.about {
            About::Anomaly { action, .. } => action,
            other => panic!("{other:?}"),
        });
        actions.collect()
    }
}

#[tokio::test]
async fn an_anomaly_slows_the_key_and_the_next_reserve_knows() {
    let mut scene = Scene::new(AnomalyMode::Enforce).await;
    scene.used(20, CENT, Quality::Exact).await;
    assert_eq!((scene.throttle().await, scene.actions()), (None, vec![]));
    scene.used(30, CENT, Quality::Exact).await;
    let throttle = scene.throttle().await.expect("slowed");
    assert_eq!((throttle.state, throttle.pace), (ScopeState::Throttled, 17));
    let (admitted, status, code) = scene.ask(40).await;
    assert_eq!((admitted, status, code), (17, 429, json!("rate_limited")));
    scene.later(60).await;
    assert_eq!(scene.ask(40).await.0, 17, "the next minute has its own");
    let [alert] = &scene.told.all()[..] else { panic!("told once: {:?}", scene.told.all()) };
    assert_eq!((alert.severity, alert.tenant.as_deref()), (Severity::Warning, Some("acme")));
    let About::Anomaly { key, action: ThrottleAction::Slowed, evidence } = &alert.about else {
        panic!("{alert:?}")
    };
    assert_eq!((key, evidence.requests > 22, evidence.expected_requests), (&scene.user.id, true, 22));
    assert!(evidence.spent_usd > NanoUsd::ZERO && evidence.window_seconds == 60, "{evidence:?}");
}

#[tokio::test]
async fn a_key_that_presses_on_is_stopped_and_let_go_after_the_cool_down() {
    let mut scene = Scene::new(AnomalyMode::Enforce).await;
    scene.used(100, CENT, Quality::Exact).await;
    let pace = scene.throttle().await.expect("slowed").pace;
    for _ in 0..5 {
        assert_eq!(scene.state().await, ScopeState::Throttled, "it has had less than five minutes");
        scene.later(60).await;
        scene.used(u128::try_from(pace).expect("a pace"), CENT, Quality::Exact).await;
    }
    assert_eq!(scene.state().await, ScopeState::Stopped);
    assert_eq!(scene.ask(1).await, (0, 403, json!("scope_stopped")));
    scene.later(1_740).await;
    assert_eq!(scene.ask(1).await.1, 403);
    scene.later(60).await;
    assert_eq!(scene.ask(40).await, (40, 200, Value::Null), "it is over, whether or not anybody looks");
    scene.used(1, CENT, Quality::Exact).await;
    assert_eq!(scene.throttle().await, None);
    use ThrottleAction::{Released, Slowed, Stopped};
    assert_eq!(scene.actions(), [Slowed, Stopped, Released]);
}

#[tokio::test]
async fn a_slowed_key_that_calms_down_is_not_stopped() {
    let mut scene = Scene::new(AnomalyMode::Enforce).await;
    scene.used(100, CENT, Quality::Exact).await;
    for _ in 0..29 {
        scene.later(60).await;
        scene.used(6, CENT, Quality::Exact).await;
        assert_eq!(scene.state().await, ScopeState::Throttled);
    }
    scene.later(60).await;
    scene.used(6, CENT, Quality::Exact).await;
    assert_eq!(scene.actions(), [ThrottleAction::Slowed, ThrottleAction::Released]);
}

#[tokio::test]
async fn dearer_requests_are_an_anomaly_and_upper_bounds_are_not() {
    let mut scene = Scene::new(AnomalyMode::Enforce).await;
    scene.used(20, 40 * CENT, Quality::Estimated).await;
    assert_eq!(scene.throttle().await, None, "an outage makes many of these");
    scene.later(120).await;
    scene.used(20, 40 * CENT, Quality::Exact).await;
    let pace = scene.throttle().await.expect("slowed").pace;
    assert!((1..10).contains(&pace), "{pace} a minute of what is 16 times as dear at least");
}

#[tokio::test]
async fn an_observed_key_is_told_once_and_left_alone() {
    let mut scene = Scene::new(AnomalyMode::Observe).await;
    for _ in 0..3 {
        scene.used(100, CENT, Quality::Exact).await;
        scene.later(5).await;
    }
    assert_eq!((scene.throttle().await, scene.actions()), (None, vec![ThrottleAction::Observed]));
    assert_eq!(scene.ask(40).await.0, 40);
}

#[tokio::test]
async fn an_admin_goes_before_the_throttle() {
    let mut scene = Scene::new(AnomalyMode::Enforce).await;
    let set = |body: Value| body.as_object().cloned().expect("an object");
    let id = scene.user.id.clone();
    let stopped = set(json!({ "state": "stopped" }));
    scene.gateway.office.admin.set_budget(&scene.gateway.who(), "key", &id, stopped).await.expect("set");
    scene.used(100, CENT, Quality::Exact).await;
    assert_eq!((scene.throttle().await, scene.actions()), (None, vec![]), "it is the admin's concern");
    let limited = set(json!({ "state": "active", "rpm": 50 }));
    scene.gateway.office.admin.set_budget(&scene.gateway.who(), "key", &id, limited).await.expect("set");
    scene.used(100, CENT, Quality::Exact).await;
    assert_eq!(scene.state().await, ScopeState::Throttled);
    let view = scene.gateway.office.admin.release(&scene.gateway.who(), &id).await.expect("released");
    assert_eq!((view.policy.state, view.policy.rpm), (ScopeState::Active, Some(50)), "as it was set");
    assert_eq!(scene.ask(60).await.0, 50);
    scene.later(3_600).await;
    scene.used(100, CENT, Quality::Exact).await;
    assert_eq!(scene.state().await, ScopeState::Active, "who was released is spared for a day");
    scene.later(86_400).await;
    scene.used(300, CENT, Quality::Exact).await;
    assert_eq!(scene.state().await, ScopeState::Throttled);
    scene
        .gateway
        .office
        .admin
        .set_budget(&scene.gateway.who(), "key", &id, set(json!({})))
        .await
        .expect("set");
    assert_eq!(scene.state().await, ScopeState::Active, "any change by an admin lets the key go");
    assert_eq!(scene.ask(80).await.0, 80);
}

#[tokio::test]
async fn a_young_key_is_not_judged() {
    let mut scene = Scene::new(AnomalyMode::Enforce).await;
    let young = History::default().extended(NOW.hour() - 3, &[Hour { requests: 1, ..Hour::default() }; 3]);
    scene.gateway.store.put_history(&scene.user.id, &young).await.expect("put");
    scene.used(500, CENT, Quality::Exact).await;
    assert_eq!((scene.throttle().await, scene.actions()), (None, vec![]));
}
