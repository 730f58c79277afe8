//! What is stale is given to nobody, by either tier.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shared::app::semantic::{Asker, Invalidator, invalidate};
use shared::app::warm_marks::WarmMarks;
use shared::config::Config;
use shared::domain::cache::Served;
use shared::domain::time::Timestamp;
use shared::ports::{CacheMarks, Clock};
use tests::{Semantic, Set, Setup, TestApp, User};

use super::{ASKED, NEAR, ask, body};

/// The longest that an invalidation may take to reach another instance.
const SECOND: Duration = Duration::from_secs(1);
const HEADERS: [(&str, &str); 2] =
    [("x-tollgate-prompt", "faq@1"), ("x-tollgate-cache-tags", "rivers,towns")];

struct World {
    clock: Arc<Set>,
    gateway: TestApp,
    semantic: Semantic,
    user: User,
}

impl World {
    /// A gateway whose clock is set, which was asked once and has indexed the answer.
    async fn new(cache: Value) -> Self {
        let clock = Arc::new(Set::at(Timestamp::from_millis(1_800_000_000_000)));
        let mut cache = cache;
        cache["verify_share"] = json!(0);
        let mut setup = Setup::new(json!({ "cache": cache }));
        setup.clock = clock.clone();
        let (setup, semantic) = setup.semantic();
        let gateway = setup.start().await;
        let user = gateway.user(json!({ "tenant": "acme" })).await;
        let world = World { clock, gateway, semantic, user };
        assert_eq!(world.source(ASKED).await, "miss");
        world.semantic.index().await;
        world.clock.forward(SECOND);
        world.both("exact", "semantic").await;
        world
    }

    async fn source(&self, text: &str) -> String {
        ask(&self.gateway, &self.user, &HEADERS, &body(text)).await.header("x-tollgate-cache").to_owned()
    }

    /// What either tier says, and that nothing new is kept of it.
    async fn both(&self, exact: &str, semantic: &str) {
        assert_eq!(self.source(NEAR).await, semantic);
        self.semantic.jobs.take();
        assert_eq!(self.source(ASKED).await, exact);
        self.semantic.jobs.take();
    }

    /// What a question is answered from that nobody asked before in just these words.
    async fn neither(&self) {
        assert_eq!(self.source(ASKED).await, "miss");
        assert_eq!(self.source(&format!("{NEAR}!")).await, "miss");
    }

    /// As another instance would, so that this one must hear of it.
    async fn invalidate(&self, body: Value) {
        let marks = WarmMarks::new(self.gateway.store.clone(), self.clock.clone());
        let cache = Config::default().cache;
        let invalidator = Invalidator { cache, marks: Arc::new(marks), clock: self.clock.clone() };
        let Value::Object(mut fields) = body else { panic!("{body}") };
        fields.insert("tenant".to_owned(), json!("acme"));
        invalidate(&invalidator, Asker::Admin, fields).await.unwrap_or_else(|error| panic!("{error:?}"));
    }
}

#[tokio::test]
async fn an_answer_is_stale_when_its_time_is_over() {
    let world = World::new(json!({ "ttl_hours": 1 })).await;
    world.clock.forward(Duration::from_secs(3_598));
    world.both("exact", "semantic").await;
    world.clock.forward(SECOND);
    world.neither().await;
}

#[tokio::test]
async fn each_selector_makes_stale_what_it_names_within_a_second() {
    let partition = async |world: &World| world.semantic.vectors.records()[0].partition.clone();
    for selector in ["all", "partition", "model", "prompt", "version", "tag"] {
        let world = World::new(json!({})).await;
        let (hits, misses) = match selector {
            "all" => (json!({ "all": true }), None),
            "partition" => (
                json!({ "partition": partition(&world).await }),
                Some(json!({ "partition": "0".repeat(64) })),
            ),
            "model" => (json!({ "model": "demo/ok" }), Some(json!({ "model": "demo/other" }))),
            "prompt" => (json!({ "prompt": "faq" }), Some(json!({ "prompt": "other" }))),
            "version" => (json!({ "prompt": "faq@1" }), Some(json!({ "prompt": "faq@2" }))),
            _ => (json!({ "tag": "towns" }), Some(json!({ "tag": "town" }))),
        };
        if let Some(other) = misses {
            world.invalidate(other).await;
            world.clock.forward(SECOND);
            world.both("exact", "semantic").await;
        }
        world.invalidate(hits).await;
        world.clock.forward(SECOND);
        world.neither().await;
        // What is answered afterwards is fresh.
        assert_eq!(world.source(ASKED).await, "exact", "{selector}");
    }
}

#[tokio::test]
async fn an_answer_on_its_way_when_it_was_invalidated_is_stale_when_it_comes() {
    let world = World::new(json!({})).await;
    world.gateway.demo().set_behaviour("ok", "delay-300").expect("a script");
    let other = "Which sea does that river flow into";
    let question = body(other);
    let asked = ask(&world.gateway, &world.user, &HEADERS, &question);
    let invalidated = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        world.clock.forward(Duration::from_millis(10));
        world.invalidate(json!({ "tag": "rivers" })).await;
        world.clock.forward(SECOND);
    };
    let (reply, ()) = tokio::join!(asked, invalidated);
    assert_eq!(reply.header("x-tollgate-cache"), "miss");
    assert!(world.semantic.index().await[0].indexed);
    assert_eq!(world.source(&format!("{other}?")).await, "miss");
    assert_eq!(world.source(other).await, "miss");
    assert_eq!(world.source(other).await, "exact");
}

#[tokio::test]
async fn a_model_that_calls_itself_otherwise_leaves_its_answers_behind() {
    let world = World::new(json!({})).await;
    let standing = world.gateway.store.read_marks().await.expect("a store").served;
    let [served] = standing.as_slice() else { panic!("{standing:?}") };
    assert_eq!(served.target, "demo/ok");
    for changed in [
        Served { model: Some("another".to_owned()), ..served.clone() },
        Served { fingerprint: Some("fp_2".to_owned()), ..served.clone() },
    ] {
        let changed = Served { at: world.clock.now(), ..changed };
        world.gateway.store.note_served(&changed).await.expect("a store");
        world.clock.forward(SECOND);
        assert_eq!(world.source(ASKED).await, "miss");
        // Its answer said what the model is called now, and that is what entries are held against.
        world.clock.forward(SECOND);
        assert_eq!(world.source(ASKED).await, "exact");
    }
}

#[tokio::test]
async fn what_shapes_the_answer_moves_it_elsewhere() {
    let world = World::new(json!({})).await;
    let (gateway, user) = (&world.gateway, &world.user);
    let versions = [("x-tollgate-prompt", "faq@2"), HEADERS[1]];
    for text in [ASKED, NEAR] {
        let other_version = ask(gateway, user, &versions, &body(text)).await;
        assert_eq!(other_version.header("x-tollgate-cache"), "miss", "prompt version");
        let mut system = body(text);
        system["messages"] = json!([{ "role": "system", "content": "Be brief." }, system["messages"][0]]);
        let other_system = ask(gateway, user, &HEADERS, &system).await;
        assert_eq!(other_system.header("x-tollgate-cache"), "miss", "system prompt");
        let mut model = body(text);
        model["model"] = json!("demo/tokens-9");
        let other_model = ask(gateway, user, &HEADERS, &model).await;
        assert_eq!(other_model.header("x-tollgate-cache"), "miss", "model");
        let locale = [HEADERS[0], ("x-tollgate-locale", "nl")];
        let other_locale = ask(gateway, user, &locale, &body(text)).await;
        assert_eq!(other_locale.header("x-tollgate-cache"), "miss", "locale");
    }
    let mut other = gateway.beside(json!({ "cache": { "version_key": "other", "verify_share": 0 } }));
    other.clock = world.clock.clone();
    other.semantic = Some(world.semantic.tier());
    let other = other.start().await;
    for text in [ASKED, NEAR] {
        let other_key = ask(&other, user, &HEADERS, &body(text)).await;
        assert_eq!(other_key.header("x-tollgate-cache"), "miss", "version key");
    }
}

#[tokio::test]
async fn a_tenant_invalidates_its_own_and_nobody_elses() {
    let world = World::new(json!({})).await;
    let marks = Arc::new(WarmMarks::new(world.gateway.store.clone(), world.clock.clone()));
    let cache = Config::default().cache;
    let invalidator = Invalidator { cache, marks, clock: world.clock.clone() };
    let stranger = world.gateway.user(json!({ "tenant": "globex" })).await;
    let app = &world.gateway.app;
    let caller = |user: &User| {
        let key = user.key.clone();
        async move { shared::app::authenticate::authenticate_token(app, Some(&key)).await.expect("a caller") }
    };
    let all = |value: Value| value.as_object().cloned().expect("an object");
    let theirs = caller(&stranger).await;
    let asker = Asker::Key(&theirs);
    let done = invalidate(&invalidator, asker, all(json!({ "all": true }))).await.expect("their own");
    assert_eq!(done.tenant, "globex");
    let refused = invalidate(&invalidator, asker, all(json!({ "all": true, "tenant": "acme" }))).await;
    assert!(refused.is_err());
    world.clock.forward(SECOND);
    world.both("exact", "semantic").await;
    for bad in
        [json!({}), json!({ "all": true, "tag": "a" }), json!({ "tag": "a b" }), json!({ "tags": ["a"] })]
    {
        assert!(invalidate(&invalidator, asker, all(bad.clone())).await.is_err(), "{bad}");
    }
}
