//! `GET /v1/requests/{id}`: what is told of a request, and to whom.

use serde_json::{Value, json};
use tests::{Reply, Setup, TestApp, UsageParts, User, question};

const ADMIN: &str = UsageParts::ADMIN_KEY;
/// Occurs in no receipt, since no word of a prompt does.
const CANARY: &str = "Ghent";

async fn read(gateway: &TestApp, key: &str, id: &str) -> Reply {
    let reply = gateway.ask_usage("GET", &format!("/v1/requests/{id}"), key, None).await;
    assert!(!reply.text().contains(CANARY), "{}", reply.text());
    reply
}

/// Asks, waits until all is settled, and reads the receipt by the id of the reply's header.
async fn receipt_of(gateway: &TestApp, user: &User, body: &Value) -> (Reply, Value) {
    let reply = gateway.complete(user, body).await;
    gateway.settled().await;
    let receipt = read(gateway, &user.key, reply.header("x-request-id")).await;
    assert_eq!(receipt.status, 200, "{}", receipt.text());
    (reply, receipt.json())
}

#[tokio::test]
async fn an_answer_is_accounted_for_to_the_nano_dollar() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "budgetUsd": "1" })).await;
    for stream in [false, true] {
        let mut body = question("demo/ok", stream);
        body["user"] = json!("ann");
        let (reply, receipt) = receipt_of(&gateway, &user, &body).await;
        if stream {
            continue;
        }
        let line = gateway.lines(&user).pop().expect("a line");
        assert_eq!(receipt["id"], reply.header("x-request-id"));
        assert_eq!((&receipt["keyId"], &receipt["user"]), (&json!(user.id), &json!("ann")));
        assert_eq!((&receipt["cache"], &receipt["quality"]), (&json!("miss"), &json!("exact")));
        assert_eq!(receipt["route"], json!([{ "model": "demo/ok", "decision": "chosen" }]));
        let attempt = &receipt["attempts"][0];
        assert_eq!(attempt["settledUsd"], line.amount.to_string());
        assert_eq!(attempt["reservedUsd"], line.reserved.to_string());
        assert_eq!((&attempt["priceId"], &attempt["outcome"]), (&json!(line.price), &json!("completed")));
        assert_eq!(attempt["usage"]["output"], line.usage.output);
        assert_eq!(receipt["settledUsd"], line.amount.to_string());
        let latency = &attempt["latencyMs"];
        let millis = |name: &str| latency[name].as_f64().unwrap_or_else(|| panic!("{name} in {latency}"));
        assert!(millis("firstToken") > 0.0 && millis("firstToken") <= millis("upstream"), "{latency}");
        assert!(millis("auth") >= 0.0 && millis("cache") >= 0.0 && millis("admit") >= 0.0, "{latency}");
    }
}

#[tokio::test]
async fn a_route_says_of_every_model_why() {
    let config = json!({
        "routing": {
            "primary": "demo/500",
            "fallbacks": ["openai/unpriced", "demo/forbidden", "demo/503", "demo/ok", "demo/tokens-3"],
            "circuit_breaker": { "threshold": 1, "reset_timeout_ms": 60000 },
        },
    });
    let gateway = TestApp::start(config).await;
    let models =
        ["demo/500", "demo/503", "demo/ok", "demo/tokens-3", "openai/unpriced"].map(|one| json!(one));
    let user = gateway.user(json!({ "models": models })).await;
    let body = question("demo/500", false);
    let (_, receipt) = receipt_of(&gateway, &user, &body).await;
    let failed = |model: &str, status: u16| json!({ "model": model, "decision": "failed", "fault": { "kind": "status", "status": status } });
    let skipped =
        |model: &str, reason: &str| json!({ "model": model, "decision": "skipped", "reason": reason });
    let chosen = json!({ "model": "demo/ok", "decision": "chosen" });
    let not_needed = json!({ "model": "demo/tokens-3", "decision": "not_needed" });
    assert_eq!(
        receipt["route"],
        json!([
            skipped("openai/unpriced", "no_price"),
            skipped("demo/forbidden", "key_forbids"),
            failed("demo/500", 500),
            failed("demo/503", 503),
            chosen,
            not_needed,
        ])
    );
    assert_eq!(receipt["attempts"].as_array().map(Vec::len), Some(3));
    // By now both circuits are open.
    let (_, receipt) = receipt_of(&gateway, &user, &body).await;
    assert_eq!(
        receipt["route"].as_array().map(|route| route[2..].to_vec()),
        Some(vec![
            skipped("demo/500", "circuit_open"),
            skipped("demo/503", "circuit_open"),
            chosen,
            not_needed,
        ])
    );
}

#[tokio::test]
async fn a_parameter_that_a_fallback_does_not_have_is_named() {
    let provider = tests::Provider::start().await;
    let config = json!({
        "routing": { "primary": "demo/500", "fallbacks": ["claude/ok", "demo/ok"] },
        "providers": { "claude": provider.entry_of("anthropic") },
    });
    let mut setup = Setup { provider: Some(provider), ..Setup::new(config) };
    setup.price_as_the_demo("claude/*");
    let gateway = setup.start().await;
    let user = gateway.user(json!({})).await;
    let mut body = question("demo/500", false);
    body["logit_bias"] = json!({ "5": 1 });
    let (_, receipt) = receipt_of(&gateway, &user, &body).await;
    let skipped = json!({
        "model": "claude/ok", "decision": "skipped", "reason": "unsupported_parameter", "param": "logit_bias",
    });
    assert_eq!(receipt["route"][0], skipped, "{receipt}");
}

#[tokio::test]
async fn a_request_that_failed_has_a_receipt_and_says_what_was_not_asked() {
    let config = json!({ "routing": { "primary": "demo/cut-3", "fallbacks": ["demo/ok"] } });
    let gateway = TestApp::start(config).await;
    let user = gateway.user(json!({})).await;
    let (_, receipt) = receipt_of(&gateway, &user, &question("demo/cut-3", true)).await;
    let came = receipt["route"].as_array().map(|route| {
        route.iter().map(|stop| stop["decision"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    });
    assert_eq!(came, Some(vec!["failed".to_owned(), "not_asked".to_owned()]), "{receipt}");
    assert_eq!(receipt["route"][0]["fault"]["kind"], "broken_off");
    assert_eq!(receipt["quality"], "estimated");
}

#[tokio::test]
async fn a_hit_and_an_embedding_have_receipts() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({})).await;
    let body = question("demo/ok", false);
    receipt_of(&gateway, &user, &body).await;
    let (_, receipt) = receipt_of(&gateway, &user, &body).await;
    assert_eq!(receipt["route"], json!([{ "model": "demo/ok", "decision": "from_cache" }]));
    assert_eq!((&receipt["cache"], &receipt["settledUsd"]), (&json!("exact"), &json!("0")));
    assert_eq!(receipt["attempts"][0]["outcome"], "cache_hit");
    let reply =
        gateway.post("/v1/embeddings", &user, &json!({ "model": "demo/embed", "input": "one" })).await;
    let receipt = read(&gateway, &user.key, reply.header("x-request-id")).await.json();
    assert_eq!(receipt["route"], json!([{ "model": "demo/embed", "decision": "chosen" }]));
    assert!(receipt["attempts"][0]["latencyMs"]["upstream"].as_f64() > Some(0.0), "{receipt}");
}

#[tokio::test]
async fn others_are_told_what_they_would_be_told_of_nothing() {
    let gateway = TestApp::start(json!({})).await;
    let mine = gateway.user(json!({ "tenant": "acme" })).await;
    let (reply, receipt) = receipt_of(&gateway, &mine, &question("demo/ok", false)).await;
    let id = reply.header("x-request-id");
    let neighbour = gateway.user(json!({ "tenant": "acme" })).await;
    let stranger = gateway.user(json!({ "tenant": "globex" })).await;
    let nothing = "01M83T4CM004HMASW9NF6YY093";
    for user in [&neighbour, &stranger] {
        for asked in [id, nothing, "not-an-id"] {
            let refused = read(&gateway, &user.key, asked).await;
            assert_eq!(
                (refused.status, &refused.json()["error"]["code"]),
                (404, &json!("request_not_found"))
            );
            assert!(
                refused
                    .text()
                    .replace(asked, "")
                    .starts_with("{\"error\":{\"message\":\"there is no receipt of")
            );
        }
    }
    assert_eq!(read(&gateway, "tg_nobody", id).await.status, 401);
    assert_eq!(read(&gateway, ADMIN, id).await.json(), receipt);
    assert_eq!(read(&gateway, ADMIN, nothing).await.status, 404);
    let refused = gateway.complete(&mine, &json!({ "model": "demo/ok" })).await;
    assert_eq!(
        read(&gateway, &mine.key, refused.header("x-request-id")).await.status,
        404,
        "never sent anywhere"
    );
}
