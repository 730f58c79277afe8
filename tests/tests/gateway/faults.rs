//! Every way a provider can fail, alone and with a healthy fallback, streamed and plain.

use serde_json::json;
use shared::domain::ledger::{Outcome, Quality};

use super::harness::{Answered, TestGateway, question};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_ends_in_a_whole_answer_or_an_honest_error_and_leaves_no_hold() {
    let cases = FAULTS.iter().flat_map(|fault| [(fault, true), (fault, false)]);
    let cases: Vec<_> =
        cases.flat_map(|(fault, stream)| [(fault, stream, true), (fault, stream, false)]).collect();
    assert!(cases.len() >= 40, "{} cases", cases.len());
    let runs =
        cases.iter().map(|((script, strikes), stream, fallback)| run(script, *strikes, *stream, *fallback));
    futures_util::future::join_all(runs).await;
}

async fn run(script: &str, strikes: Strikes, stream: bool, fallback: bool) {
    let case = format!(
        "{script}, {}, {}",
        if stream { "stream" } else { "plain" },
        if fallback { "fallback" } else { "alone" }
    );
    let primary = format!("demo/{script}");
    let fallbacks = if fallback { json!(["demo/tokens-6"]) } else { json!([]) };
    let gateway = TestGateway::start(json!({
        "gateway": { "timeout_ms": 300 },
        "routing": { "primary": primary, "fallbacks": fallbacks },
    }))
    .await;
    let key = gateway.key(json!({ "budgetUsd": "1" })).await;
    let answered = gateway.ask(&key, &question(&primary, stream)).await;
    let saved = strikes == Strikes::Early || (strikes == Strikes::Late && !stream);
    match (strikes, saved && fallback) {
        (Strikes::Never, _) => whole(&answered, stream, &primary, &case),
        (_, true) => {
            whole(&answered, stream, "demo/tokens-6", &case);
            assert_eq!(answered.header("x-tollgate-attempts"), "2", "{case}");
        }
        (Strikes::Late, false) if stream => broken_off(&answered, &case),
        (_, false) => {
            assert_eq!(answered.status, 503, "{case}: {}", answered.text);
            assert_eq!(answered.json()["error"]["code"], "degraded", "{case}");
            assert!(answered.headers.contains_key("retry-after"), "{case}");
        }
    }
    gateway.assert_settled(&case);
    billed_enough(&gateway, &case);
}

/// A complete answer, with a finish reason and, when streamed, the end mark.
fn whole(answered: &Answered, stream: bool, model: &str, case: &str) {
    assert_eq!(answered.status, 200, "{case}: {}", answered.text);
    assert_eq!(answered.header("x-tollgate-model"), model, "{case}");
    if stream {
        assert!(answered.text.contains("\"finish_reason\":\"stop\""), "{case}: {}", answered.text);
        assert!(answered.text.ends_with("data: [DONE]\n\n"), "{case}");
        assert!(!answered.text.contains("\"error\""), "{case}");
    } else {
        assert_eq!(answered.json()["choices"][0]["finish_reason"], "stop", "{case}");
    }
}

/// The status was committed; the stream tells the error and ends without a made-up end.
fn broken_off(answered: &Answered, case: &str) {
    assert_eq!(answered.status, 200, "{case}");
    assert!(answered.text.contains("\"content\":"), "{case}: content had come");
    assert!(answered.text.contains("\"code\":\"upstream_failed\""), "{case}: {}", answered.text);
    assert!(
        !answered.text.contains("[DONE]") && !answered.text.contains("\"finish_reason\":\"stop\""),
        "{case}"
    );
}

/// No line is cheaper than what the provider charged for its model, and only lines of answers
/// whose usage is unknown are estimates.
fn billed_enough(gateway: &TestGateway, case: &str) {
    let lines = gateway.lines();
    for (model, charge) in gateway.demo.bill() {
        let own = lines.iter().filter(|line| line.model == format!("demo/{model}"));
        let (input, output) =
            own.fold((0, 0), |sum, line| (sum.0 + line.usage.input(), sum.1 + line.usage.output));
        assert!(
            input >= charge.prompt_tokens && output >= charge.completion_tokens,
            "{case}: {model} is under-billed"
        );
    }
    for line in &lines {
        let unsure = line.outcome == Outcome::FailedBilled || case.starts_with("nousage");
        assert_eq!(line.quality == Quality::Estimated, unsure && line.amount.nano() > 0, "{case}: {line:?}");
    }
}
