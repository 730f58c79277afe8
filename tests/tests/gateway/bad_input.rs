//! Requests that cannot be served: the documented error for each, and nothing held.

use http::Method;
use serde_json::{Value, json};
use tests::{CHAT, COMPLETIONS, TestApp, User, unbounded};

/// A change of the messages of a good request, and the field that is blamed for it.
fn message_faults() -> Vec<(Value, &'static str)> {
    let message = |message: Value| json!({ "messages": [message] });
    let part = |part: Value| json!({ "messages": [{ "role": "user", "content": [part] }] });
    vec![
        (json!({ "messages": null }), "messages"),
        (json!({ "messages": [] }), "messages"),
        (json!({ "messages": "hi" }), "messages"),
        (json!({ "messages": ["hi"] }), "messages[0]"),
        (message(json!({ "content": "hi" })), "messages[0].role"),
        (message(json!({ "role": "robot", "content": "hi" })), "messages[0].role"),
        (message(json!({ "role": "user" })), "messages[0].content"),
        (message(json!({ "role": "user", "content": 1 })), "messages[0].content"),
        (message(json!({ "role": "tool", "content": "x" })), "messages[0].tool_call_id"),
        (
            message(json!({ "role": "assistant", "tool_calls": [{ "id": "a" }] })),
            "messages[0].tool_calls[0].function",
        ),
        (
            message(json!({ "role": "assistant", "content": "x", "audio": { "id": "a" } })),
            "messages[0].audio",
        ),
        (part(json!({ "type": "video" })), "messages[0].content[0].type"),
        (part(json!({ "type": "input_audio", "input_audio": {} })), "messages[0].content[0].type"),
        (part(json!({ "type": "text" })), "messages[0].content[0].text"),
        (part(json!({ "type": "image_url" })), "messages[0].content[0].image_url"),
        (
            part(json!({ "type": "image_url", "image_url": { "url": "file:///etc/passwd" } })),
            "messages[0].content[0].image_url.url",
        ),
        (
            part(json!({ "type": "image_url", "image_url": { "url": "http://169.254.169.254/" } })),
            "messages[0].content[0].image_url.url",
        ),
    ]
}

/// A change of a good request outside its messages, and the field that is blamed for it.
fn field_faults() -> Vec<(Value, &'static str)> {
    vec![
        (json!({ "model": "" }), "model"),
        (json!({ "model": 1 }), "model"),
        (json!({ "model": null }), "model"),
        (json!({ "max_tokens": 0 }), "max_tokens"),
        (json!({ "max_tokens": -1 }), "max_tokens"),
        (json!({ "max_tokens": 1.5 }), "max_tokens"),
        (json!({ "max_tokens": 1e308 }), "max_tokens"),
        (json!({ "max_tokens": "1" }), "max_tokens"),
        (json!({ "max_completion_tokens": 0 }), "max_completion_tokens"),
        (json!({ "max_tokens": 5, "max_completion_tokens": 5 }), "max_tokens"),
        (json!({ "n": 0 }), "n"),
        (json!({ "n": 129 }), "n"),
        (json!({ "n": "2" }), "n"),
        (json!({ "temperature": 2.5 }), "temperature"),
        (json!({ "temperature": -0.1 }), "temperature"),
        (json!({ "temperature": "hot" }), "temperature"),
        (json!({ "top_p": 1.1 }), "top_p"),
        (json!({ "presence_penalty": 3 }), "presence_penalty"),
        (json!({ "frequency_penalty": -3 }), "frequency_penalty"),
        (json!({ "seed": 0.5 }), "seed"),
        (json!({ "stop": 1 }), "stop"),
        (json!({ "stop": ["a", "b", "c", "d", "e"] }), "stop"),
        (json!({ "stream": "yes" }), "stream"),
        (json!({ "stream_options": { "include_usage": true } }), "stream_options"),
        (json!({ "stream": true, "stream_options": { "include_usage": 1 } }), "stream_options.include_usage"),
        (json!({ "tools": {} }), "tools"),
        (json!({ "tools": [{ "type": "code_interpreter" }] }), "tools[0].type"),
        (json!({ "tools": [{ "type": "function", "function": {} }] }), "tools[0].function.name"),
        (json!({ "response_format": "json" }), "response_format"),
        (json!({ "parallel_tool_calls": 1 }), "parallel_tool_calls"),
        (json!({ "reasoning_effort": 1 }), "reasoning_effort"),
        (json!({ "user": 7 }), "user"),
        (json!({ "service_tier": "priority" }), "service_tier"),
        (json!({ "modalities": ["audio"] }), "modalities"),
        (json!({ "audio": {} }), "audio"),
        (json!({ "web_search_options": {} }), "web_search_options"),
        (json!({ "prediction": {} }), "prediction"),
        (json!({ "best_of": 3 }), "best_of"),
        (json!({ "flux_capacitor": true }), "flux_capacitor"),
        (json!({ "api_base": "http://169.254.169.254" }), "api_base"),
    ]
}

/// Bodies that are no request at all.
fn broken_bodies() -> Vec<Vec<u8>> {
    let nested = format!("{{\"model\":\"demo/ok\",\"messages\":{}{}}}", "[".repeat(80), "]".repeat(80));
    let abyss = format!("{{\"a\":{}", "[".repeat(100_000));
    let twice = r#"{"model":"demo/ok","model":"demo/tokens-9","messages":[{"role":"user","content":"hi"}]}"#;
    let inside = r#"{"model":"demo/ok","messages":[{"role":"user","content":"hi","content":"ho"}]}"#;
    let texts = [
        "",
        "{",
        "[]",
        "null",
        "\"hi\"",
        "{\"model\":}",
        "{\"n\":NaN}",
        "{\"n\":1e999}",
        "{} {}",
        "{\"a\":\"\\ud800\"}",
    ];
    let mut bodies: Vec<Vec<u8>> = texts.map(|text| text.as_bytes().to_vec()).to_vec();
    bodies.extend([nested, abyss, twice.to_owned(), inside.to_owned()].map(String::into_bytes));
    bodies.push(b"{\"model\":\"demo/ok\xff\"}".to_vec());
    bodies
}

async fn gateway() -> (TestApp, User) {
    let config = json!({ "billing": { "hard_limit_per_request_usd": 0.5 } });
    let gateway = TestApp::start(config).await;
    let user = gateway.user(json!({ "budgetUsd": "1", "models": null })).await;
    (gateway, user)
}

fn assert_nothing_happened(gateway: &TestApp) {
    assert!(gateway.store.lines().is_empty(), "a line was written");
    assert!(gateway.store.counters().is_empty(), "a counter was touched");
    assert!(gateway.demo().bill().is_empty(), "the provider was called");
}

#[tokio::test]
async fn each_bad_field_is_named_and_nothing_is_held() {
    let (gateway, user) = gateway().await;
    for (change, param) in message_faults().into_iter().chain(field_faults()) {
        let mut body = unbounded("demo/ok", false);
        for (name, value) in change.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let answered = gateway.complete(&user, &body).await;
        assert_eq!(answered.status, 400, "{change}: {}", answered.text());
        let error = &answered.json()["error"];
        assert_eq!(
            (error["param"].as_str(), error["code"].as_str()),
            (Some(param), Some("invalid_request")),
            "{change}"
        );
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
    assert_nothing_happened(&gateway);
}

#[tokio::test]
async fn what_is_no_json_object_is_refused_in_both_dialects() {
    let (gateway, user) = gateway().await;
    let bearer = user.bearer();
    for body in broken_bodies() {
        for path in [COMPLETIONS, CHAT] {
            let headers = [("authorization", bearer.as_str())];
            let answered = gateway.send(Method::POST, path, &headers, body.clone()).await;
            assert_eq!(
                answered.status,
                400,
                "{:?}: {}",
                String::from_utf8_lossy(&body[..body.len().min(80)]),
                answered.text()
            );
        }
    }
    assert_nothing_happened(&gateway);
}

#[tokio::test]
async fn the_prompt_form_names_its_fields_too() {
    let (gateway, user) = gateway().await;
    let cases = [
        (json!({}), 400, "prompt"),
        (json!({ "prompt": "" }), 400, "prompt"),
        (json!({ "prompt": 1 }), 400, "prompt"),
        (json!({ "prompt": "a", "stream": "no" }), 400, "stream"),
        (json!({ "prompt": "a", "userid": "u" }), 400, "userid"),
        (json!({ "prompt": "a", "promptId": "greeting" }), 400, "promptId"),
        (json!({ "prompt": "a", "responseFormat": "json" }), 400, "responseFormat"),
        (json!({ "prompt": "a", "model": "nobody/model" }), 404, "model"),
    ];
    for (body, status, param) in cases {
        let answered = gateway.prompt(&user, &body).await;
        assert_eq!(answered.status, status, "{body}: {}", answered.text());
        assert_eq!(answered.json()["param"].as_str().unwrap_or(""), param, "{body}");
        assert!(answered.json()["error"].is_string(), "{body}");
    }
    gateway.settled().await;
}

#[tokio::test]
async fn models_that_are_not_priced_or_not_ours_are_refused_before_dispatch() {
    let (gateway, user) = gateway().await;
    let look_alike = "openai/gpt-4\u{43e}";
    for model in [
        "nobody/x",
        "openai/gpt-99",
        look_alike,
        "openai/GPT-4o",
        "openai/gpt-4o:free",
        "openai/../x",
        " openai/gpt-4o",
        "demo/",
    ] {
        let answered = gateway.complete(&user, &unbounded(model, false)).await;
        assert_eq!(answered.status, 404, "{model}: {}", answered.text());
        assert_eq!(answered.json()["error"]["code"], "model_not_found", "{model}");
    }
    let only = gateway.user(json!({ "models": ["demo/tokens-3"] })).await;
    let answered = gateway.complete(&only, &unbounded("demo/ok", false)).await;
    assert_eq!(
        (answered.status, answered.json()["error"]["code"].as_str()),
        (403, Some("model_not_allowed"))
    );
    assert_nothing_happened(&gateway);
}

#[tokio::test]
async fn bad_keys_of_every_kind_get_the_same_answer() {
    let (gateway, user) = gateway().await;
    let revoked = gateway.user(json!({})).await;
    gateway.revoke(&revoked).await;
    let key = user.key;
    let mut typo = key.clone();
    let last = if typo.pop() == Some('a') { 'b' } else { 'a' };
    typo.push(last);
    // A key of the right shape that was never issued.
    let stranger = shared::domain::key::generate(&[7; 52]).1;
    let bearer = |text: &str| vec![("authorization", format!("Bearer {text}"))];
    let attempts: Vec<Vec<(&str, String)>> = vec![
        vec![],
        vec![("authorization", format!("Basic {key}"))],
        vec![("authorization", key.clone())],
        bearer(""),
        bearer("admin"),
        bearer("sk-1234567890"),
        bearer(&revoked.key),
        bearer(&stranger),
        bearer(&typo),
        bearer(&key[..key.len() - 1]),
        bearer(&key.to_uppercase()),
        bearer(&format!("{key} {key}")),
        vec![("authorization", format!("Bearer {key}")), ("x-api-key", stranger.clone())],
        vec![("x-api-key", "'; DROP TABLE keys; --".to_owned())],
    ];
    let mut bodies = Vec::new();
    for headers in &attempts {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        for (path, body) in
            [(COMPLETIONS, unbounded("demo/ok", true)), (COMPLETIONS, json!({ "broken": true }))]
        {
            let answered = gateway.send(Method::POST, path, &headers, body.to_string()).await;
            assert_eq!(answered.status, 401, "{headers:?}: {}", answered.text());
            bodies.push(answered.text());
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert_nothing_happened(&gateway);
}

#[tokio::test]
async fn what_is_too_much_is_told_with_its_limit() {
    let (gateway, user) = gateway().await;
    let bearer = user.bearer();
    let headers = [("authorization", bearer.as_str())];
    let oversize = gateway
        .send(Method::POST, COMPLETIONS, &headers, vec![b' '; shared::app::body::BODY_BYTES_MAX + 1])
        .await;
    assert_eq!(
        (oversize.status, oversize.json()["error"]["code"].as_str()),
        (413, Some("request_too_large"))
    );
    let mut dear = unbounded("openai/gpt-4o", false);
    dear["max_tokens"] = json!(999_999_999);
    dear["n"] = json!(128);
    let config = json!({
        "billing": { "hard_limit_per_request_usd": 0.5 },
        "providers": { "openai": { "base_url": "http://127.0.0.1:9/v1", "local": true } },
    });
    let strict = TestApp::start(config).await;
    let user = strict.user(json!({ "budgetUsd": "1000" })).await;
    let refused = strict.complete(&user, &dear).await;
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].as_str()),
        (402, Some("request_cost_limit")),
        "{}",
        refused.text()
    );
    assert_eq!(refused.json()["error"]["limit"], "0.5");
    assert_eq!(refused.header("x-should-retry"), "false");
    let route = gateway.send(Method::GET, COMPLETIONS, &headers, Vec::new()).await;
    assert_eq!((route.status, route.json()["error"]["code"].as_str()), (405, Some("method_not_allowed")));
    let nowhere = gateway.send(Method::POST, "/v1/nothing", &headers, Vec::new()).await;
    assert_eq!((nowhere.status, nowhere.json()["error"]["code"].as_str()), (404, Some("route_not_found")));
    assert_nothing_happened(&gateway);
}

#[tokio::test]
async fn a_used_up_budget_states_its_numbers_and_a_full_window_its_limits() {
    let (gateway, _) = gateway().await;
    let poor = gateway.user(json!({ "budgetUsd": "0.0001", "period": "day" })).await;
    let mut body = unbounded("demo/tokens-5", false);
    body["max_tokens"] = json!(1000);
    let refused = gateway.complete(&poor, &body).await;
    let error = &refused.json()["error"];
    assert_eq!(
        (refused.status, error["code"].as_str(), error["cap"].as_str()),
        (402, Some("quota_exceeded"), Some("0.0001")),
        "{}",
        refused.text()
    );
    assert!(error["resetsAt"].as_str().is_some_and(|at| at.ends_with("T00:00:00Z")), "{error}");
    assert_eq!(refused.header("x-should-retry"), "false");
    let seed = gateway.prompt(&poor, &json!({ "prompt": "hi", "model": "demo/tokens-5" })).await;
    assert_eq!((seed.status, seed.json()["error"].as_str()), (429, Some("quota_exceeded")));
    assert!(seed.json()["retryAfter"].as_u64().is_some_and(|seconds| seconds > 0));
    let slow = gateway.user(json!({ "rpm": 1 })).await;
    assert_eq!(gateway.complete(&slow, &body).await.status, 200);
    let limited = gateway.complete(&slow, &body).await;
    assert_eq!(
        (limited.status, limited.json()["error"]["code"].as_str()),
        (429, Some("rate_limited")),
        "{}",
        limited.text()
    );
    assert_eq!(limited.header("x-ratelimit-remaining-requests"), "0");
    assert!(limited.headers.contains_key("retry-after"));
    gateway.settled().await;
}

#[test]
fn the_tables_hold_at_least_sixty_cases() {
    assert!(message_faults().len() + field_faults().len() + broken_bodies().len() + 28 >= 60);
}
