//! Every way a provider can fail, alone and with a healthy fallback, streamed and plain.

use futures_util::{StreamExt, stream};
use serde_json::json;
use shared::domain::ledger::{Outcome, Quality};

use tests::{Reply, TestApp, unbounded};

/// When the fault strikes, from the caller's point of view.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Strikes {
    /// Before any content: another provider can still answer.
    Early,
    /// After three tokens.
    Late,
    /// The answer is whole; only its usage is missing.
    Never,
}

const FAULTS: &[(&str, Strikes)] = &[
    ("429", Strikes::Early),
    ("429-retry-1", Strikes::Early),
    ("429-retry-30", Strikes::Early),
    ("500", Strikes::Early),
    ("502", Strikes::Early),
    ("503", Strikes::Early),
    ("529", Strikes::Early),
    ("hang", Strikes::Early),
    ("delay-3000", Strikes::Early),
    ("stall-0", Strikes::Early),
    ("cut-0", Strikes::Early),
    ("reset-0", Strikes::Early),
    ("badjson-0", Strikes::Early),
    ("error-0", Strikes::Early),
    ("stall-3", Strikes::Late),
    ("cut-3", Strikes::Late),
    ("reset-3", Strikes::Late),
    ("badjson-3", Strikes::Late),
    ("error-3", Strikes::Late),
    ("nousage", Strikes::Never),
];

/// Few enough that a provider's silence is what the case tells and not a busy machine.
const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_ends_in_a_whole_answer_or_an_honest_error_and_leaves_no_hold() {
    let cases = FAULTS.iter().flat_map(|fault| [(fault, true), (fault, false)]);
    let cases: Vec<_> =
        cases.flat_map(|(fault, stream)| [(fault, stream, true), (fault, stream, false)]).collect();
    assert!(cases.len() >= 40, "{} cases", cases.len());
    let runs = cases.into_iter().map(|((script, strikes), stream, fallback)| async move {
        let case = format!(
            "{script}, {}, {}",
            if stream { "stream" } else { "plain" },
            if fallback { "fallback" } else { "alone" }
        );
        // In a task of its own, so that whatever fails there is reported with its case.
        let run = tokio::spawn(run(case.clone(), script, *strikes, stream, fallback));
        run.await.unwrap_or_else(|error| panic!("{case}: {error}"));
    });
    stream::iter(runs).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

async fn run(case: String, script: &str, strikes: Strikes, stream: bool, fallback: bool) {
    let primary = format!("demo/{script}");
    let fallbacks = if fallback { json!(["demo/tokens-6"]) } else { json!([]) };
    let gateway = TestApp::start(json!({
        "gateway": { "timeout_ms": 1000 },
        "routing": { "primary": primary, "fallbacks": fallbacks },
    }))
    .await;
    let user = gateway.user(json!({ "budgetUsd": "1" })).await;
    let answered = gateway.complete(&user, &unbounded(&primary, stream)).await;
    let saved = strikes == Strikes::Early || (strikes == Strikes::Late && !stream);
    match (strikes, saved && fallback) {
        (Strikes::Never, _) => whole(&answered, stream, &primary, &case),
        (_, true) => {
            whole(&answered, stream, "demo/tokens-6", &case);
            assert_eq!(answered.header("x-tollgate-attempts"), "2", "{case}");
        }
        (Strikes::Late, false) if stream => broken_off(&answered, &case),
        (_, false) => {
            assert_eq!(answered.status, 503, "{case}: {}", answered.text());
            assert_eq!(answered.json()["error"]["code"], "degraded", "{case}");
            assert!(answered.headers.contains_key("retry-after"), "{case}");
        }
    }
    gateway.settled().await;
    estimated_only_when_unsure(&gateway, &case);
}

/// A complete answer, with a finish reason and, when streamed, the end mark.
fn whole(answered: &Reply, stream: bool, model: &str, case: &str) {
    assert_eq!(answered.status, 200, "{case}: {}", answered.text());
    assert_eq!(answered.header("x-tollgate-model"), model, "{case}");
    if stream {
        assert!(answered.text().contains("\"finish_reason\":\"stop\""), "{case}: {}", answered.text());
        assert!(answered.text().ends_with("data: [DONE]\n\n"), "{case}");
        assert!(!answered.text().contains("\"error\""), "{case}");
    } else {
        assert_eq!(answered.json()["choices"][0]["finish_reason"], "stop", "{case}");
    }
}

/// The status was committed; the stream tells the error and ends without a made-up end.
fn broken_off(answered: &Reply, case: &str) {
    assert_eq!(answered.status, 200, "{case}");
    assert!(answered.text().contains("\"content\":"), "{case}: content had come");
    assert!(answered.text().contains("\"code\":\"upstream_failed\""), "{case}: {}", answered.text());
    assert!(
        !answered.text().contains("[DONE]") && !answered.text().contains("\"finish_reason\":\"stop\""),
        "{case}"
    );
}

/// Only lines of answers whose usage is unknown are estimates.
fn estimated_only_when_unsure(gateway: &TestApp, case: &str) {
    for line in gateway.store.lines() {
        let unsure = line.outcome == Outcome::FailedBilled || case.starts_with("nousage");
        assert_eq!(line.quality == Quality::Estimated, unsure && line.amount.nano() > 0, "{case}: {line:?}");
    }
}
