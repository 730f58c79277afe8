use std::time::Instant;

use serde_json::json;

use super::{End, Provider, millis, request, with};

#[tokio::test]
async fn a_plain_answer_has_the_shape_of_the_dialect() {
    let provider = Provider::start().await;
    let received = provider.ask(&request("ok")).await;
    let mut answer = received.json();
    assert!(answer["created"].take().as_u64().unwrap() > 1_700_000_000);
    let text = "This is a scripted answer from the demo provider. You said: one two three four";
    let expected = json!({
        "id": "chatcmpl-demo-1",
        "object": "chat.completion",
        "created": null,
        "model": "demo/ok",
        "system_fingerprint": "fp_demo",
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": text, "refusal": null },
            "logprobs": null,
            "finish_reason": "stop",
        }],
        "usage": {
            "prompt_tokens": 4,
            "completion_tokens": 15,
            "total_tokens": 19,
            "prompt_tokens_details": { "cached_tokens": 0 },
            "completion_tokens_details": { "reasoning_tokens": 0 },
        },
    });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn a_plain_answer_is_sent_with_its_length() {
    let provider = Provider::start().await;
    let received = provider.ask(&request("ok")).await;
    assert_eq!(received.end, End::Complete);
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(received.header("content-length"), Some(&*received.body.len().to_string()));
    assert_eq!(received.header("x-request-id"), Some("req_demo_1"));
}

#[tokio::test]
async fn the_providers_prefix_and_any_base_path_are_accepted() {
    let provider = Provider::start().await;
    let body = request("demo/ok").to_string();
    for path in ["/v1/chat/completions", "/chat/completions", "/openai/v1/chat/completions"] {
        let received = provider.send("POST", path, &body).await;
        assert_eq!(received.json()["model"], "demo/ok");
    }
    assert_eq!(provider.demo.calls("ok"), 3);
}

#[tokio::test]
async fn tokens_and_limits_set_the_length() {
    let provider = Provider::start().await;
    let answer = provider.ask(&request("tokens-20")).await.json();
    let words = answer["choices"][0]["message"]["content"].as_str().unwrap().split(' ').count();
    assert_eq!((words, &answer["usage"]["completion_tokens"]), (20, &json!(20)));

    for field in ["max_tokens", "max_completion_tokens"] {
        let answer = provider.ask(&with(request("ok"), field, json!(3))).await.json();
        assert_eq!(answer["choices"][0]["message"]["content"], "This is a");
        assert_eq!(answer["choices"][0]["finish_reason"], "length");
        assert_eq!(answer["usage"]["completion_tokens"], 3);
    }
    let answer = provider.ask(&with(request("tokens-3"), "max_tokens", json!(3))).await.json();
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn n_choices_are_answered_and_counted() {
    let provider = Provider::start().await;
    let answer = provider.ask(&with(request("tokens-5"), "n", json!(3))).await.json();
    let indexes: Vec<_> = answer["choices"].as_array().unwrap().iter().map(|c| &c["index"]).collect();
    assert_eq!(indexes, [0, 1, 2]);
    assert_eq!(answer["usage"]["completion_tokens"], 15);
    assert_eq!(answer["usage"]["total_tokens"], 19);
}

#[tokio::test]
async fn words_of_text_parts_count_as_prompt() {
    let provider = Provider::start().await;
    let messages = json!([
        { "role": "system", "content": "be brief" },
        { "role": "user", "content": [
            { "type": "text", "text": "what is this" },
            { "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } },
        ] },
    ]);
    let answer = provider.ask(&with(request("ok"), "messages", messages)).await.json();
    assert_eq!(answer["usage"]["prompt_tokens"], 5);
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.ends_with("You said: what is this"), "{text}");
}

#[tokio::test]
async fn delay_and_pace_make_a_plain_answer_slow() {
    let provider = Provider::start().await;
    let begun = Instant::now();
    provider.ask(&request("delay-60+pace-20+tokens-4")).await;
    assert!(begun.elapsed() >= millis(120));
}

#[tokio::test]
async fn without_usage_a_plain_answer_is_complete_but_uncounted() {
    let provider = Provider::start().await;
    let answer = provider.ask(&request("nousage")).await.json();
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!(answer.get("usage"), None);
    assert_eq!(provider.demo.charged("nousage").completion_tokens, 15);
}

#[tokio::test]
async fn malformed_requests_get_an_invalid_request_error() {
    let provider = Provider::start().await;
    let streaming_only = with(request("ok"), "stream_options", json!({ "include_usage": true }));
    let cases = [
        ("{".to_owned(), json!(null)),
        (json!({ "messages": [] }).to_string(), json!(null)),
        (with(request("ok"), "messages", json!([])).to_string(), json!("messages")),
        (with(request("ok"), "n", json!(0)).to_string(), json!("n")),
        (with(request("ok"), "max_tokens", json!(0)).to_string(), json!("max_tokens")),
        (streaming_only.to_string(), json!("stream_options")),
    ];
    for (body, param) in cases {
        let received = provider.send("POST", "/v1/chat/completions", &body).await;
        let error = &received.json()["error"];
        assert_eq!(received.status, 400, "{body}");
        assert_eq!((&error["type"], &error["param"]), (&json!("invalid_request_error"), &param));
    }
    assert_eq!(provider.demo.calls("ok"), 0);
}
