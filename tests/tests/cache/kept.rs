//! What is never kept, and so never given: for neither tier.

use serde_json::{Value, json};
use tests::{Setup, question};

use super::{ASKED, NEAR, ask, body, gateway, source};

#[tokio::test]
async fn tool_calls_and_truncated_answers_are_never_kept() {
    let tool = json!({ "name": "find", "parameters": { "type": "object", "properties": {} } });
    let tools = json!([{ "type": "function", "function": tool }]);
    for (script, tools, finish) in [("tool", tools, "tool_calls"), ("tokens-90", Value::Null, "length")] {
        let (gateway, semantic, user) = gateway(json!({})).await;
        gateway.demo().set_behaviour("ok", script).expect("a script");
        let mut body = body(ASKED);
        body["max_tokens"] = json!(20);
        if !tools.is_null() {
            body["tools"] = tools;
        }
        for _ in 0..2 {
            let reply = ask(&gateway, &user, &[], &body).await;
            assert_eq!(reply.header("x-tollgate-cache"), "miss");
            assert_eq!(reply.json()["choices"][0]["finish_reason"], finish);
        }
        assert_eq!(semantic.jobs.take(), []);
    }
}

#[tokio::test]
async fn errors_and_answers_of_a_fallback_are_never_kept() {
    let routing = json!({ "routing": { "primary": "demo/ok", "fallbacks": ["demo/tokens-3"] } });
    let (gateway, semantic, user) = gateway(routing).await;
    gateway.demo().set_behaviour("ok", "500").expect("a script");
    for _ in 0..2 {
        let reply = ask(&gateway, &user, &[], &body(ASKED)).await;
        assert_eq!(
            (reply.header("x-tollgate-cache"), reply.header("x-tollgate-model")),
            ("miss", "demo/tokens-3")
        );
    }
    assert_eq!(semantic.jobs.take(), []);
}

#[tokio::test]
async fn a_fallback_that_is_asked_first_is_a_fallback_still() {
    let provider = tests::Provider::start().await;
    let mut claude = provider.entry_of("anthropic");
    claude["secret"] = json!("env:MISSING");
    let config = json!({
        "routing": { "primary": "claude/ok", "fallbacks": ["demo/400", "demo/ok"] },
        "providers": { "claude": claude },
    });
    let mut setup = Setup { provider: Some(provider), ..Setup::new(config) };
    setup.price_as_the_demo("claude/*");
    let gateway = setup.start().await;
    let user = gateway.user(json!({})).await;
    for _ in 0..2 {
        let reply = gateway.complete(&user, &question("claude/ok", false)).await;
        assert_eq!(reply.status, 200, "what one fallback refuses another may take: {}", reply.text());
        let headers = (reply.header("x-tollgate-cache"), reply.header("x-tollgate-model"));
        assert_eq!(
            headers,
            ("miss", "demo/ok"),
            "it is not kept as the answer of the model that was asked for"
        );
    }
    gateway.settled().await;
}

#[tokio::test]
async fn what_bypasses_the_cache_says_why_and_is_not_kept() {
    let (gateway, semantic, user) = gateway(json!({ "cache": { "max_temperature": 0.5 } })).await;
    let with = |name: &str, value: Value| {
        let mut body = body(ASKED);
        body[name] = value;
        body
    };
    let call = json!({ "id": "c", "type": "function", "function": { "name": "find", "arguments": "{}" } });
    let mut in_play = body(ASKED);
    in_play["messages"] = json!([
        { "role": "user", "content": "Find it" },
        { "role": "assistant", "content": null, "tool_calls": [call] },
        { "role": "tool", "tool_call_id": "c", "content": "found" },
        { "role": "user", "content": ASKED },
    ]);
    in_play["tools"] = json!([{ "type": "function", "function": { "name": "find", "parameters": { "type": "object", "properties": {} } } }]);
    let none: &[(&str, &str)] = &[];
    let cases = [
        (none, with("temperature", json!(0.7)), "temperature"),
        (none, with("n", json!(2)), "several_choices"),
        (none, in_play, "tools"),
        (none, body("What is the weather in Ghent today?"), "time"),
        (&[("x-tollgate-cache", "bypass")], body(ASKED), "opt_out"),
    ];
    for (headers, body, reason) in cases {
        for _ in 0..2 {
            let reply = ask(&gateway, &user, headers, &body).await;
            assert_eq!(reply.header("x-tollgate-cache"), "bypass", "{reason}");
            assert_eq!(reply.header("cache-status"), format!("tollgate; fwd=bypass; detail={reason}"));
        }
        let noted = gateway.lines(&user).pop().and_then(|line| line.notes).and_then(|notes| notes.bypass);
        assert_eq!(noted.as_deref(), Some(reason));
    }
    assert_eq!(semantic.jobs.take(), []);
    assert!(semantic.asked.lock().expect("never poisoned").is_empty());
    assert_eq!(source(&gateway, &user, NEAR).await, "miss");
}
