//! What a search for near questions may cost: its budget, and a miss.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use shared::app::SemanticTier;
use shared::app::meter::Sources;
use shared::app::semantic::{Scope, Statistics, stats};
use shared::domain::time::Timestamp;
use shared::domain::verdict::Finding;
use shared::ports::{Clock, LookupError, Question, SemanticLookup};
use tests::{Jobs, Noting, Setup};
use tokio::time::{Instant, sleep};

use super::{ASKED, ask, body};

const BUDGET: Duration = Duration::from_millis(70);

/// A lookup that goes wrong.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Hangs,
    Late,
    Fails,
}

#[async_trait]
impl SemanticLookup for Wrong {
    async fn look_up(&self, _: &Question) -> Result<Finding, LookupError> {
        match self {
            Wrong::Hangs => std::future::pending().await,
            Wrong::Late => {
                sleep(BUDGET + Duration::from_millis(1)).await;
                Err(LookupError::Failed("too late to matter".to_owned()))
            }
            Wrong::Fails => Err(LookupError::Failed("429: Rate exceeded".to_owned())),
        }
    }
}

/// How long the provider had to wait, and what was counted.
async fn waited(lookup: Option<Wrong>) -> (Duration, Value) {
    let provider = Arc::new(Noting::default());
    let mut setup = Setup::new(json!({ "cache": { "lookup_budget_ms": 70 } }));
    setup.upstream = Some(provider.clone());
    setup.semantic =
        lookup.map(|lookup| SemanticTier { lookup: Arc::new(lookup), jobs: Arc::new(Jobs::default()) });
    let gateway = setup.start().await;
    let user = gateway.user(json!({ "tenant": "acme" })).await;
    let begun = Instant::now();
    let reply = ask(&gateway, &user, &[], &body(ASKED)).await;
    assert_eq!(reply.header("x-tollgate-cache"), "miss");
    let asked = provider.asked_at().expect("asked");
    let usage = Sources { ledger: gateway.store.as_ref(), rollups: gateway.store.as_ref() };
    let sources = Statistics { usage, precision: gateway.store.as_ref() };
    let scope =
        Scope { keys: vec![user.id], tenants: ["acme".to_owned()].into(), since: Timestamp::default() };
    let stats = stats(&sources, &scope, shared::clock::SystemClock.now()).await.expect("a store");
    (asked - begun, serde_json::to_value(stats).expect("JSON"))
}

#[tokio::test(start_paused = true)]
async fn a_lookup_that_goes_wrong_is_a_miss_at_most_its_budget_later_and_counted() {
    for (lookup, waits, timeouts, errors) in [
        (None, Duration::ZERO, 0, 0),
        (Some(Wrong::Hangs), BUDGET, 1, 0),
        (Some(Wrong::Late), BUDGET, 1, 0),
        (Some(Wrong::Fails), Duration::ZERO, 0, 1),
    ] {
        let (waited, stats) = waited(lookup).await;
        // Timers are a millisecond coarse.
        assert!(waited >= waits && waited <= waits + Duration::from_millis(2), "{lookup:?}: {waited:?}");
        let counters = &stats["counters"];
        assert_eq!(counters["cache.lookup.timeout"], timeouts, "{lookup:?}: {stats}");
        assert_eq!(counters["cache.lookup.error"], errors, "{lookup:?}: {stats}");
        assert_eq!((&stats["misses"], &stats["hitRatio"]), (&json!(1), &json!(0.0)), "{stats}");
    }
}
