//! How often a near match would have been right: in shadow, and for a share of the hits.

use serde_json::{Value, json};
use shared::app::meter::Sources;
use shared::app::semantic::{Indexed, Scope, Statistics, index, stats};
use shared::clock::SystemClock;
use shared::domain::time::Timestamp;
use shared::ports::{Clock, MeasurePrecision, Precision};
use tests::{Semantic, TestApp, User};

use super::{ASKED, NEAR, ask, asked_once, body, source};

async fn figures(gateway: &TestApp, user: &User) -> Value {
    let usage = Sources { ledger: gateway.store.as_ref(), rollups: gateway.store.as_ref() };
    let sources = Statistics { usage, precision: gateway.store.as_ref() };
    let (keys, tenants) = (vec![user.id.clone()], ["acme".to_owned()].into());
    let scope = Scope { keys, tenants, since: Timestamp::default() };
    let stats = stats(&sources, &scope, SystemClock.now()).await.expect("a store");
    serde_json::to_value(stats).expect("JSON")
}

async fn precision(gateway: &TestApp) -> Vec<(String, Precision)> {
    gateway.store.precision("acme", Timestamp::default()).await.expect("a store")
}

/// Asks the near question, which a provider answers, and compares.
async fn compared(gateway: &TestApp, semantic: &Semantic, user: &User) -> Indexed {
    let reply = ask(gateway, user, &[], &body(NEAR)).await;
    assert_eq!(reply.header("cache-status"), "tollgate; fwd=miss; detail=served");
    let jobs = semantic.jobs.take();
    assert!(jobs.len() == 1 && jobs[0].candidate.is_some(), "{jobs:?}");
    let done = index(&semantic.indexer, &jobs[0]).await.expect("stores that work");
    let again = index(&semantic.indexer, &jobs[0]).await.expect("stores that work");
    assert_eq!(done, again, "a job may come twice");
    done
}

#[tokio::test]
async fn in_shadow_nothing_is_served_and_everything_is_compared() {
    let (gateway, semantic, user) = asked_once(json!({ "cache": { "semantic": "shadow" } })).await;
    let calls = gateway.demo().calls("ok");
    let done = compared(&gateway, &semantic, &user).await;
    assert_eq!(gateway.demo().calls("ok"), calls + 1);
    assert!(done.agreed.is_some());
    let counted = precision(&gateway).await;
    assert_eq!(counted.len(), 1, "{counted:?}");
    assert_eq!((counted[0].0.as_str(), counted[0].1.compared), ("demo/ok", 1), "counted once");
    let figures = figures(&gateway, &user).await;
    assert_eq!(figures["hits"], json!({ "exact": 0, "semantic": 0 }), "{figures}");
    assert_eq!(
        (&figures["withheld"], &figures["precision"]["compared"]),
        (&json!(1), &json!(1)),
        "{figures}"
    );
    assert!(figures["precision"]["interval"].is_array(), "{figures}");
}

#[tokio::test]
async fn a_share_of_the_hits_is_answered_afresh_and_compared() {
    let (gateway, semantic, user) = asked_once(json!({ "cache": { "verify_share": 1 } })).await;
    compared(&gateway, &semantic, &user).await;
    assert_eq!(precision(&gateway).await[0].1.compared, 1);
}

#[tokio::test]
async fn answers_that_say_the_same_agree_and_others_do_not() {
    for (script, agrees) in [("tokens-30", true), ("ok", false)] {
        let (gateway, semantic, user) = super::gateway(json!({ "cache": { "verify_share": 1 } })).await;
        gateway.demo().set_behaviour("ok", "tokens-30").expect("a script");
        assert_eq!(source(&gateway, &user, ASKED).await, "miss");
        semantic.index().await;
        gateway.demo().set_behaviour("ok", script).expect("a script");
        assert_eq!(compared(&gateway, &semantic, &user).await.agreed, Some(agrees), "{script}");
        let counted = precision(&gateway).await[0].1;
        assert_eq!(counted, Precision { compared: 1, agreed: u64::from(agrees) });
    }
}

#[tokio::test]
async fn a_job_whose_entry_is_gone_is_done() {
    let (gateway, semantic, user) = super::gateway(json!({})).await;
    assert_eq!(source(&gateway, &user, ASKED).await, "miss");
    let mut job = semantic.jobs.take().pop().expect("a job");
    job.key = shared::domain::cache::CacheKey::of_bytes(b"gone");
    let done = index(&semantic.indexer, &job).await.expect("stores that work");
    assert_eq!(done, Indexed { indexed: false, agreed: None });
    assert_eq!(semantic.vectors.records().len(), 0);
}
