use serde_json::{Value, json};

use super::dialect::Dialect;
use super::{Provider, with};

const VERSION: &str = "anthropic-version: 2023-06-01\r\n";
const KEY: &str = "x-api-key: any\r\n";

fn body(model: &str) -> Value {
    Dialect::Messages.plain(model).body
}

async fn post(provider: &Provider, path: &str, body: &Value) -> super::Received {
    provider.send_with("POST", path, Dialect::Messages.headers(), &body.to_string()).await
}

#[tokio::test]
async fn a_message_has_the_shape_of_the_dialect() {
    let provider = Provider::start().await;
    let received = post(&provider, "/v1/messages", &body("demo/tokens-2")).await;
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(received.header("request-id"), Some("req_demo_1"));
    let expected = json!({
        "id": "msg_demo_1",
        "type": "message",
        "role": "assistant",
        "model": "demo/tokens-2",
        "content": [{ "type": "text", "text": "This is" }],
        "stop_reason": "end_turn",
        "stop_sequence": null,
        "usage": {
            "input_tokens": 4,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 2,
        },
    });
    assert_eq!(received.json(), expected);
}

#[tokio::test]
async fn a_streamed_message_is_a_sequence_of_named_events() {
    let provider = Provider::start().await;
    let received = Dialect::Messages.stream("tokens-2").send(&provider).await;
    assert_eq!(received.header("content-type"), Some("text/event-stream; charset=utf-8"));
    let events = received.chunks();
    let names: Vec<String> = String::from_utf8(received.body)
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("event: ").map(str::to_owned))
        .collect();
    let types: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(names, types);
    let usage = json!({
        "input_tokens": 4,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 1,
    });
    let message = json!({
        "id": "msg_demo_1",
        "type": "message",
        "role": "assistant",
        "model": "demo/tokens-2",
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "usage": usage,
    });
    let delta = |text: &str| {
        let delta = json!({ "type": "text_delta", "text": text });
        json!({ "type": "content_block_delta", "index": 0, "delta": delta })
    };
    let block = json!({ "type": "text", "text": "" });
    let ending = json!({ "stop_reason": "end_turn", "stop_sequence": null });
    let expected = [
        json!({ "type": "message_start", "message": message }),
        json!({ "type": "content_block_start", "index": 0, "content_block": block }),
        json!({ "type": "ping" }),
        delta("This"),
        delta(" is"),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "message_delta", "delta": ending, "usage": { "output_tokens": 2 } }),
        json!({ "type": "message_stop" }),
    ];
    assert_eq!(events, expected);
}

#[tokio::test]
async fn a_streamed_tool_use_begins_with_its_name_and_an_empty_piece() {
    let provider = Provider::start().await;
    let ask = Dialect::Messages.stream("tool").tool("get_weather", &json!({ "type": "object" }));
    let events = ask.send(&provider).await.chunks();
    let block = json!({ "type": "tool_use", "id": "toolu_demo_1", "name": "get_weather", "input": {} });
    assert_eq!(events[1], json!({ "type": "content_block_start", "index": 0, "content_block": block }));
    for (event, piece) in [(&events[2], ""), (&events[3], "{}")] {
        let delta = json!({ "type": "input_json_delta", "partial_json": piece });
        assert_eq!(*event, json!({ "type": "content_block_delta", "index": 0, "delta": delta }));
    }
    assert_eq!(events[5]["delta"]["stop_reason"], "tool_use");
}

#[tokio::test]
async fn a_plain_tool_use_has_an_object_as_its_input() {
    let provider = Provider::start().await;
    let schema = json!({ "type": "object", "required": ["city"] });
    let ask = Dialect::Messages.plain("tool").tool("get_weather", &schema);
    let message = ask.send(&provider).await.json();
    let block = json!({
        "type": "tool_use", "id": "toolu_demo_1", "name": "get_weather", "input": { "city": "demo" },
    });
    assert_eq!((&message["content"], &message["stop_reason"]), (&json!([block]), &json!("tool_use")));
}

#[tokio::test]
async fn blocks_of_text_are_read_wherever_text_is() {
    let provider = Provider::start().await;
    let image = json!({ "type": "image", "source": { "type": "url", "url": "https://example.com/a.png" } });
    let said = json!([{ "type": "text", "text": "what is this" }, image]);
    let body = with(body("ok"), "messages", json!([{ "role": "user", "content": said }]));
    let body = with(body, "system", json!([{ "type": "text", "text": "be brief" }]));
    let message = post(&provider, "/v1/messages", &body).await.json();
    assert_eq!(message["usage"]["input_tokens"], 5);
    assert!(message["content"][0]["text"].as_str().unwrap().ends_with("You said: what is this"));

    let part = json!([{ "type": "text", "text": "rain" }]);
    let result = json!({ "type": "tool_result", "tool_use_id": "toolu_1", "content": part });
    let body = with(body, "messages", json!([{ "role": "user", "content": [result] }]));
    let message = post(&provider, "/v1/messages", &body).await.json();
    assert!(message["content"][0]["text"].as_str().unwrap().ends_with("The tool said: rain"));
}

#[tokio::test]
async fn no_tool_is_called_where_the_caller_wants_none() {
    let provider = Provider::start().await;
    let ask = Dialect::Messages.plain("tool").tool("first", &json!({}));
    for (choice, reason) in [("none", "end_turn"), ("auto", "tool_use"), ("any", "tool_use")] {
        let body = with(ask.body.clone(), "tool_choice", json!({ "type": choice }));
        let message = post(&provider, "/v1/messages", &body).await.json();
        assert_eq!(message["stop_reason"], reason, "{choice}");
    }
}

#[tokio::test]
async fn whoever_shows_no_key_or_version_is_refused() {
    let provider = Provider::start().await;
    let body = body("ok").to_string();
    for path in ["/v1/messages", "/v1/messages/count_tokens"] {
        for (headers, status, kind) in
            [(VERSION, 401, "authentication_error"), (KEY, 400, "invalid_request_error")]
        {
            let received = provider.send_with("POST", path, headers, &body).await;
            assert_eq!(received.status, status);
            assert_eq!(received.json()["type"], "error");
            assert_eq!(received.json()["error"]["type"], kind);
        }
    }
    assert_eq!(provider.demo.calls("ok"), 0);
}

#[tokio::test]
async fn a_key_may_come_as_a_bearer_token() {
    let provider = Provider::start().await;
    let headers = format!("{VERSION}authorization: Bearer any\r\n");
    let received = provider.send_with("POST", "/v1/messages", &headers, &body("ok").to_string()).await;
    assert_eq!(received.status, 200);
}

#[tokio::test]
async fn the_newest_version_takes_no_sampling_parameters() {
    let provider = Provider::start().await;
    let newest = format!("{KEY}anthropic-version: 2026-10-21\r\n");
    for field in ["temperature", "top_p", "top_k"] {
        let body = with(body("ok"), field, json!(1)).to_string();
        for path in ["/v1/messages", "/v1/messages/count_tokens"] {
            let received = provider.send_with("POST", path, &newest, &body).await;
            assert_eq!((received.status, path), (400, path));
            assert!(received.json()["error"]["message"].as_str().unwrap().starts_with(field));
            let received = provider.send_with("POST", path, &format!("{KEY}{VERSION}"), &body).await;
            assert_eq!(received.status, 200);
        }
    }
    let plain = provider.send_with("POST", "/v1/messages", &newest, &body("ok").to_string()).await;
    assert_eq!(plain.status, 200);
}

#[tokio::test]
async fn counting_tokens_is_free_and_no_call() {
    let provider = Provider::start().await;
    let mut body = body("ok");
    body.as_object_mut().unwrap().remove("max_tokens");
    let received = post(&provider, "/v1/messages/count_tokens", &body).await;
    assert_eq!((received.status, received.json()), (200, json!({ "input_tokens": 4 })));
    let refused = post(&provider, "/v1/messages/count_tokens", &with(body, "model", json!("529"))).await;
    assert_eq!((refused.status, &refused.json()["error"]["type"]), (529, &json!("overloaded_error")));
    assert_eq!((provider.demo.calls("ok"), provider.demo.calls("529")), (0, 0));
    assert!(provider.demo.bill().is_empty());
}

#[tokio::test]
async fn malformed_messages_get_an_invalid_request_error() {
    let provider = Provider::start().await;
    let mut unbounded = body("ok");
    unbounded.as_object_mut().unwrap().remove("max_tokens");
    let tool = json!([{ "role": "tool", "content": "sunny" }]);
    for (body, said) in [
        ("{".to_owned(), "EOF"),
        (unbounded.to_string(), "max_tokens: Field required"),
        (with(body("ok"), "messages", json!([])).to_string(), "messages"),
        (with(body("ok"), "messages", tool).to_string(), "tool"),
    ] {
        let received = provider.send_with("POST", "/v1/messages", Dialect::Messages.headers(), &body).await;
        let error = &received.json()["error"];
        assert_eq!((received.status, &error["type"]), (400, &json!("invalid_request_error")), "{body}");
        assert!(error["message"].as_str().unwrap().contains(said), "{error}");
    }
    assert_eq!(provider.demo.calls("ok"), 0);
}
