use std::time::Instant;

use serde_json::{Value, json};

use super::client::Received;
use super::{End, Provider, millis, request, streamed, with};

const THREE_TOKENS: &str = "This is a";

/// Asks for `model` plain and streamed; every fault before the headers is the same in both.
async fn both(provider: &Provider, model: &str) -> [Received; 2] {
    [provider.ask(&request(model)).await, provider.ask(&streamed(model)).await]
}

fn assert_unfinished(received: &Received, text: &str) {
    assert_eq!(received.status, 200);
    assert_eq!(received.text(), text);
    assert!(!received.done());
    let chunks = received.chunks();
    let finished = |chunk: &Value| !chunk["choices"][0]["finish_reason"].is_null();
    assert!(!chunks.iter().any(|chunk| finished(chunk) || chunk["usage"].is_object()));
}

#[tokio::test]
async fn scripted_statuses_carry_the_dialects_error() {
    let provider = Provider::start().await;
    for (model, status, kind, code) in [
        ("429", 429, "requests", json!("rate_limit_exceeded")),
        ("500", 500, "server_error", json!(null)),
        ("502", 502, "server_error", json!(null)),
        ("503", 503, "server_error", json!(null)),
        ("529", 529, "overloaded_error", json!(null)),
    ] {
        for received in both(&provider, model).await {
            let error = &received.json()["error"];
            assert_eq!((received.status, received.header("retry-after")), (status, None));
            assert_eq!((&error["type"], &error["code"]), (&json!(kind), &code));
            assert!(error["message"].is_string() && error["param"].is_null());
        }
        assert_eq!(provider.demo.calls(model), 2);
    }
    assert_eq!(provider.demo.bill().len(), 0);
}

#[tokio::test]
async fn a_rate_limit_can_say_when_to_retry() {
    let provider = Provider::start().await;
    let begun = Instant::now();
    for received in both(&provider, "429-retry-2+delay-50").await {
        assert_eq!((received.status, received.header("retry-after")), (429, Some("2")));
    }
    assert!(begun.elapsed() >= millis(100));
}

#[tokio::test]
async fn an_unknown_step_is_an_unknown_model() {
    let provider = Provider::start().await;
    let received = provider.ask(&request("demo/ok+jump")).await;
    assert_eq!(received.status, 404);
    let message = "The model `ok+jump` is not a script of the demo provider: unknown step `jump`";
    let expected = json!({ "error": {
        "message": message,
        "type": "invalid_request_error",
        "param": null,
        "code": "model_not_found",
    }});
    assert_eq!(received.json(), expected);
}

#[tokio::test]
async fn hang_never_answers() {
    let provider = Provider::start().await;
    for received in both(&provider, "hang").await {
        assert_eq!((received.status, received.end), (0, End::Silent));
    }
    assert_eq!(provider.demo.calls("hang"), 2);
}

#[tokio::test]
async fn a_stall_keeps_the_connection_open() {
    let provider = Provider::start().await;
    let [plain, stream] = both(&provider, "stall-3").await;
    assert_eq!((plain.end, &stream.end), (End::Silent, &End::Silent));
    assert!(plain.body.starts_with("{\"") && !plain.body.ends_with('}'));
    assert_unfinished(&stream, THREE_TOKENS);
    assert_eq!(provider.demo.charged("stall-3").completion_tokens, 6);
}

#[tokio::test]
async fn a_cut_ends_the_body_as_if_all_were_well() {
    let provider = Provider::start().await;
    let [plain, stream] = both(&provider, "cut-3").await;
    assert_eq!((plain.end, &stream.end), (End::Complete, &End::Complete));
    assert!(serde_json::from_str::<Value>(&plain.body).is_err());
    assert_unfinished(&stream, THREE_TOKENS);
    let charged = provider.demo.charged("cut-3");
    assert_eq!((charged.prompt_tokens, charged.completion_tokens), (8, 6));
}

#[tokio::test]
async fn a_fault_at_zero_comes_before_any_content_and_costs_nothing() {
    let provider = Provider::start().await;
    for (model, end) in [("cut-0", End::Complete), ("stall-0", End::Silent)] {
        let [plain, stream] = both(&provider, model).await;
        assert_eq!((plain.status, &plain.end, &*plain.body), (200, &end, ""));
        assert_eq!(stream.end, end);
        assert_unfinished(&stream, "");
        assert_eq!(stream.chunks()[0]["choices"][0]["delta"]["role"], "assistant");
    }
    assert!(provider.demo.bill().is_empty());
}

#[tokio::test]
async fn a_reset_arrives_as_a_reset_after_the_tokens() {
    let provider = Provider::start().await;
    for _ in 0..20 {
        let [plain, stream] = both(&provider, "reset-3").await;
        assert_eq!((plain.end, &stream.end), (End::Reset, &End::Reset));
        assert!(!plain.body.is_empty());
        assert_unfinished(&stream, THREE_TOKENS);
    }
}

#[tokio::test]
async fn a_reset_at_zero_comes_before_the_headers() {
    let provider = Provider::start().await;
    for received in both(&provider, "reset-0").await {
        assert_eq!((received.status, &*received.head), (0, ""));
        assert_eq!(received.end, End::Reset);
    }
    assert_eq!(provider.demo.calls("reset-0"), 2);
}

#[tokio::test]
async fn bad_json_is_one_frame_that_does_not_parse() {
    let provider = Provider::start().await;
    let [plain, stream] = both(&provider, "badjson-3").await;
    assert_eq!((plain.end, &stream.end), (End::Complete, &End::Complete));
    assert!(serde_json::from_str::<Value>(&plain.body).is_err());
    assert_unfinished(&stream, THREE_TOKENS);
    assert!(serde_json::from_str::<Value>(stream.events().last().unwrap()).is_err());
    assert_eq!(stream.chunks().len(), stream.events().len() - 1);
}

#[tokio::test]
async fn an_error_comes_inside_the_200() {
    let provider = Provider::start().await;
    for (model, text, frames) in [("error-3", THREE_TOKENS, 5), ("error-0", "", 1)] {
        let [plain, stream] = both(&provider, model).await;
        assert_eq!((plain.status, &plain.end), (200, &End::Complete));
        assert_eq!(plain.json()["error"]["type"], "server_error");
        assert_eq!(stream.end, End::Complete);
        assert_unfinished(&stream, text);
        let chunks = stream.chunks();
        assert_eq!(chunks.len(), frames);
        assert_eq!(chunks.last().unwrap()["error"]["type"], "server_error");
    }
}

#[tokio::test]
async fn a_fault_past_the_end_comes_before_the_finish() {
    let provider = Provider::start().await;
    let received = provider.ask(&with(streamed("cut-50"), "max_tokens", json!(3))).await;
    assert_unfinished(&received, THREE_TOKENS);
    let plain = provider.ask(&with(request("cut-50"), "max_tokens", json!(3))).await;
    assert!(serde_json::from_str::<Value>(&plain.body).is_err());
}
