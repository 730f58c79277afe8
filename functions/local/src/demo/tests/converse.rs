use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use bytes::Bytes;
use serde_json::{Value, json};

use super::dialect::Dialect;
use super::said::header;
use super::{End, Provider, Received, with};

fn body() -> Value {
    Dialect::Converse.plain("ok").body
}

async fn post(provider: &Provider, path: &str, body: &Value) -> Received {
    provider.send_with("POST", path, Dialect::Converse.headers(), &body.to_string()).await
}

/// The frames as type and payload, without the padding that each event carries.
fn frames(received: &Received) -> Vec<(String, Value)> {
    let (mut decoder, mut bytes) = (MessageFrameDecoder::new(), Bytes::copy_from_slice(&received.body));
    let mut frames = Vec::new();
    while let DecodedFrame::Complete(message) = decoder.decode_frame(&mut bytes).unwrap() {
        assert_eq!(header(&message, ":content-type").unwrap(), "application/json");
        let mut payload: Value = serde_json::from_slice(message.payload()).unwrap();
        let kind = match header(&message, ":message-type").unwrap().as_str() {
            "event" => {
                assert!(payload.as_object_mut().unwrap().remove("p").unwrap().is_string());
                header(&message, ":event-type")
            }
            _ => header(&message, ":exception-type"),
        };
        frames.push((kind.unwrap(), payload));
    }
    frames
}

#[tokio::test]
async fn a_plain_answer_has_the_shape_of_converse() {
    let provider = Provider::start().await;
    let received = post(&provider, "/model/delay-20+tokens-2/converse", &body()).await;
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(received.header("x-amzn-requestid"), Some("req_demo_1"));
    let expected = json!({
        "output": { "message": { "role": "assistant", "content": [{ "text": "This is" }] } },
        "stopReason": "end_turn",
        "usage": { "inputTokens": 4, "outputTokens": 2, "totalTokens": 6 },
        "metrics": { "latencyMs": 20 },
    });
    assert_eq!(received.json(), expected);
}

#[tokio::test]
async fn a_streamed_answer_is_a_sequence_of_binary_frames() {
    let provider = Provider::start().await;
    let received = Dialect::Converse.stream("tokens-2").send(&provider).await;
    assert_eq!(received.header("content-type"), Some("application/vnd.amazon.eventstream"));
    let usage = json!({ "inputTokens": 4, "outputTokens": 2, "totalTokens": 6 });
    let expected = [
        ("messageStart", json!({ "role": "assistant" })),
        ("contentBlockDelta", json!({ "contentBlockIndex": 0, "delta": { "text": "This" } })),
        ("contentBlockDelta", json!({ "contentBlockIndex": 0, "delta": { "text": " is" } })),
        ("contentBlockStop", json!({ "contentBlockIndex": 0 })),
        ("messageStop", json!({ "stopReason": "end_turn" })),
        ("metadata", json!({ "usage": usage, "metrics": { "latencyMs": 0 } })),
    ];
    assert_eq!(frames(&received), expected.map(|(kind, payload)| (kind.to_owned(), payload)));
}

#[tokio::test]
async fn a_streamed_tool_use_opens_a_block() {
    let provider = Provider::start().await;
    let ask = Dialect::Converse.stream("tool").tool("get_weather", &json!({ "type": "object" }));
    let frames = frames(&ask.send(&provider).await);
    let start = json!({ "toolUse": { "toolUseId": "tooluse_demo_1", "name": "get_weather" } });
    let delta = json!({ "toolUse": { "input": "{}" } });
    assert_eq!(frames[1].0, "contentBlockStart");
    assert_eq!(frames[1].1, json!({ "contentBlockIndex": 0, "start": start }));
    assert_eq!(frames[2].1, json!({ "contentBlockIndex": 0, "delta": delta }));
    assert_eq!(frames[4].1, json!({ "stopReason": "tool_use" }));
}

#[tokio::test]
async fn an_exception_is_a_frame_of_its_own_kind() {
    let provider = Provider::start().await;
    let received = Dialect::Converse.stream("error-1-429").send(&provider).await;
    assert_eq!(received.end, End::Complete);
    let message = "Rate limit reached (scripted by the demo provider).";
    let expected = ("throttlingException".to_owned(), json!({ "message": message }));
    assert_eq!(frames(&received).last(), Some(&expected));
}

#[tokio::test]
async fn a_bad_frame_has_a_wrong_checksum_and_no_other_fault() {
    let provider = Provider::start().await;
    let mut received = Dialect::Converse.stream("badframe-0").send(&provider).await;
    *received.body.last_mut().unwrap() ^= 1;
    let delta = json!({ "contentBlockIndex": 0, "delta": { "text": " broken" } });
    assert_eq!(frames(&received)[1], ("contentBlockDelta".to_owned(), delta));
}

#[tokio::test]
async fn model_ids_are_percent_decoded_and_any_base_path_is_accepted() {
    let provider = Provider::start().await;
    provider.demo.set_behaviour("anthropic.claude-v2:1", "ok").unwrap();
    for path in [
        "/model/anthropic.claude-v2:1/converse",
        "/model/anthropic.claude-v2%3A1/converse",
        "/v1/model/demo%2Fanthropic.claude-v2%3A1/converse",
    ] {
        assert_eq!(post(&provider, path, &body()).await.status, 200, "{path}");
    }
    assert_eq!(provider.demo.calls("anthropic.claude-v2:1"), 3);
    assert_eq!(post(&provider, "/model/delay-1%2Bcut-0/converse", &body()).await.body, b"");
    for path in ["/model/ok/answer", "/model/%ff/converse", "/model/ok"] {
        assert_eq!(post(&provider, path, &body()).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn whoever_does_not_sign_is_refused() {
    let provider = Provider::start().await;
    for action in ["converse", "converse-stream", "invoke"] {
        let path = format!("/model/ok/{action}");
        let received = provider.send("POST", &path, &body().to_string()).await;
        assert_eq!(received.status, 403);
        assert_eq!(received.header("x-amzn-errortype"), Some("MissingAuthenticationTokenException"));
        assert_eq!(received.json(), json!({ "message": "Missing Authentication Token" }));
    }
    assert_eq!(provider.demo.calls("ok"), 0);
}

#[tokio::test]
async fn a_tool_result_may_be_json() {
    let provider = Provider::start().await;
    let result = json!({ "toolUseId": "tooluse_1", "content": [{ "json": { "sky": "blue" } }] });
    let said = json!([{ "role": "user", "content": [{ "toolResult": result }] }]);
    let answer = post(&provider, "/model/ok/converse", &with(body(), "messages", said)).await.json();
    let text = answer["output"]["message"]["content"][0]["text"].as_str().unwrap();
    assert!(text.ends_with(r#"The tool said: {"sky":"blue"}"#), "{text}");
}

#[tokio::test]
async fn malformed_requests_get_a_validation_exception() {
    let provider = Provider::start().await;
    let string = json!([{ "role": "user", "content": "Bedrock wants blocks" }]);
    let structure = json!({ "jsonSchema": { "schema": "{" } });
    let format = json!({ "textFormat": { "type": "json_schema", "structure": structure } });
    for (body, said) in [
        (with(body(), "messages", json!([])), "messages"),
        (with(body(), "messages", string), "invalid type"),
        (with(body(), "inferenceConfig", json!({ "maxTokens": 0 })), "inferenceConfig.maxTokens"),
        (with(body(), "outputConfig", format), "outputConfig.textFormat"),
        (with(body(), "toolConfig", json!({})), "tools"),
    ] {
        let received = post(&provider, "/model/ok/converse", &body).await;
        assert_eq!(received.status, 400, "{body}");
        assert_eq!(received.header("x-amzn-errortype"), Some("ValidationException"));
        assert!(received.json()["message"].as_str().unwrap().contains(said), "{body}");
    }
    assert_eq!(provider.demo.calls("ok"), 0);
}
