use std::time::Instant;

use serde_json::json;

use super::client::Received;
use super::dialect::{DIALECTS, Dialect};
use super::said::Said;
use super::{End, Provider, millis, request};

const THREE_TOKENS: &str = "This is a";

/// A stream that began well and broke off, without an end, a reason or usage.
fn assert_unfinished(dialect: Dialect, received: &Received, text: &str) -> Said {
    assert_eq!(received.status, 200);
    let said = dialect.read_stream(received);
    assert_eq!((said.begun, &*said.text), (true, text), "{dialect:?}");
    assert_eq!((said.reason, said.ended), (None, false), "{dialect:?}");
    // Anthropic tells the prompt's tokens in advance.
    let usage = if dialect == Dialect::Messages { Some((4, 0)) } else { None };
    assert_eq!(said.usage, usage, "{dialect:?}");
    said
}

#[tokio::test]
async fn scripted_statuses_carry_the_dialects_error() {
    let provider = Provider::start().await;
    for (status, chat, messages, converse) in [
        (408, "server_error", "timeout_error", "ModelTimeoutException"),
        (429, "requests", "rate_limit_error", "ThrottlingException"),
        (500, "server_error", "api_error", "InternalServerException"),
        (502, "server_error", "api_error", "InternalServerException"),
        (503, "server_error", "api_error", "ServiceUnavailableException"),
        (529, "overloaded_error", "overloaded_error", "ServiceUnavailableException"),
    ] {
        for (dialect, kind) in DIALECTS.into_iter().zip([chat, messages, converse]) {
            for received in dialect.both(&provider, &status.to_string()).await {
                assert_eq!((received.status, received.header("retry-after")), (status, None));
                assert_eq!(received.header("content-type"), Some("application/json"));
                assert_eq!(dialect.error(&received).as_deref(), Some(kind), "{dialect:?} {status}");
            }
        }
        assert_eq!(provider.demo.calls(&status.to_string()), 6);
    }
    assert_eq!(provider.demo.bill().len(), 0);
}

#[tokio::test]
async fn an_error_has_the_document_of_its_dialect() {
    let provider = Provider::start().await;
    let message = "Rate limit reached (scripted by the demo provider).";
    let chat = json!({
        "message": message, "type": "requests", "param": null, "code": "rate_limit_exceeded",
    });
    let messages = json!({ "type": "rate_limit_error", "message": message });
    for (dialect, expected) in DIALECTS.into_iter().zip([
        json!({ "error": chat }),
        json!({ "type": "error", "error": messages, "request_id": "req_demo_2" }),
        json!({ "message": message }),
    ]) {
        assert_eq!(dialect.plain("429").send(&provider).await.json(), expected);
    }
}

#[tokio::test]
async fn a_rate_limit_can_say_when_to_retry() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        let begun = Instant::now();
        for received in dialect.both(&provider, "429-retry-2+delay-50").await {
            assert_eq!((received.status, received.header("retry-after")), (429, Some("2")));
        }
        assert!(begun.elapsed() >= millis(50));
    }
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
    for (dialect, kind) in
        [(Dialect::Messages, "not_found_error"), (Dialect::Converse, "ResourceNotFoundException")]
    {
        for received in dialect.both(&provider, "ok+jump").await {
            assert_eq!(received.status, 404);
            assert_eq!(dialect.error(&received).as_deref(), Some(kind));
        }
    }
    assert_eq!(provider.demo.calls("ok+jump"), 5);
}

#[tokio::test]
async fn hang_never_answers() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        for received in dialect.both(&provider, "hang").await {
            assert_eq!((received.status, received.end), (0, End::Silent));
        }
    }
    assert_eq!(provider.demo.calls("hang"), 6);
}

#[tokio::test]
async fn a_stall_keeps_the_connection_open() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        let [plain, stream] = dialect.both(&provider, "stall-3").await;
        assert_eq!((&plain.end, &stream.end), (&End::Silent, &End::Silent));
        assert!(plain.body.starts_with(b"{\"") && !plain.body.ends_with(b"}"));
        assert_unfinished(dialect, &stream, THREE_TOKENS);
    }
    assert_eq!(provider.demo.charged("stall-3").completion_tokens, 18);
}

#[tokio::test]
async fn a_cut_ends_the_body_as_if_all_were_well() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        let [plain, stream] = dialect.both(&provider, "cut-3").await;
        assert_eq!((&plain.end, &stream.end), (&End::Complete, &End::Complete));
        assert!(!plain.is_json());
        assert_unfinished(dialect, &stream, THREE_TOKENS);
    }
    let charged = provider.demo.charged("cut-3");
    assert_eq!((charged.prompt_tokens, charged.completion_tokens), (24, 18));
}

#[tokio::test]
async fn a_fault_at_zero_comes_before_any_content_and_costs_nothing() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        for (model, end) in [("cut-0", End::Complete), ("stall-0", End::Silent)] {
            let [plain, stream] = dialect.both(&provider, model).await;
            assert_eq!((plain.status, &plain.end, &*plain.body), (200, &end, &b""[..]));
            assert_eq!(stream.end, end);
            assert_unfinished(dialect, &stream, "");
        }
    }
    assert!(provider.demo.bill().is_empty());
}

#[tokio::test]
async fn a_reset_arrives_as_a_reset_after_the_tokens() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        for _ in 0..20 {
            let [plain, stream] = dialect.both(&provider, "reset-3").await;
            assert_eq!((&plain.end, &stream.end), (&End::Reset, &End::Reset));
            assert!(!plain.body.is_empty());
            assert_unfinished(dialect, &stream, THREE_TOKENS);
        }
    }
}

#[tokio::test]
async fn a_reset_at_zero_comes_before_the_headers() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        for received in dialect.both(&provider, "reset-0").await {
            assert_eq!((received.status, &*received.head), (0, ""));
            assert_eq!(received.end, End::Reset);
        }
    }
    assert_eq!(provider.demo.calls("reset-0"), 6);
}

#[tokio::test]
async fn bad_json_and_bad_frames_are_one_frame_that_cannot_be_read() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        for model in ["badjson-3", "badframe-3"] {
            let [plain, stream] = dialect.both(&provider, model).await;
            assert_eq!((&plain.end, &stream.end), (&End::Complete, &End::Complete));
            assert!(!plain.is_json());
            let is_text = str::from_utf8(&plain.body).is_ok();
            assert_eq!(is_text, model == "badjson-3");
            if dialect != Dialect::Converse {
                assert_eq!(str::from_utf8(&stream.body).is_ok(), is_text, "{dialect:?} {model}");
            }
            if is_text || dialect == Dialect::Converse {
                let said = assert_unfinished(dialect, &stream, THREE_TOKENS);
                assert_eq!(said.broken, 1, "{dialect:?} {model}");
            }
        }
    }
}

#[tokio::test]
async fn an_error_comes_inside_the_200() {
    let provider = Provider::start().await;
    for (code, chat, messages, converse) in [
        ("", "server_error", "api_error", "internalServerException"),
        ("-424", "server_error", "api_error", "modelStreamErrorException"),
        ("-429", "requests", "rate_limit_error", "throttlingException"),
        ("-503", "server_error", "api_error", "serviceUnavailableException"),
        ("-529", "overloaded_error", "overloaded_error", "serviceUnavailableException"),
    ] {
        for (dialect, kind) in DIALECTS.into_iter().zip([chat, messages, converse]) {
            let [plain, stream] = dialect.both(&provider, &format!("error-3{code}")).await;
            assert_eq!((plain.status, &plain.end, &stream.end), (200, &End::Complete, &End::Complete));
            let said = assert_unfinished(dialect, &stream, THREE_TOKENS);
            assert_eq!(said.error.as_deref(), Some(kind));
            if dialect != Dialect::Converse {
                assert_eq!(dialect.error(&plain).as_deref(), Some(kind));
            }
            let document = plain.json();
            let message = document.pointer("/error/message").unwrap_or(&document["message"]);
            assert!(message.as_str().unwrap().ends_with("(scripted by the demo provider)."));
        }
    }
}

#[tokio::test]
async fn an_error_at_zero_is_all_there_is() {
    let provider = Provider::start().await;
    for (dialect, kind) in
        DIALECTS.into_iter().zip(["overloaded_error", "overloaded_error", "serviceUnavailableException"])
    {
        let stream = dialect.stream("error-0-529").send(&provider).await;
        let said = dialect.read_stream(&stream);
        assert_eq!(said, Said { error: Some(kind.to_owned()), ..Said::default() });
    }
    assert!(provider.demo.bill().is_empty());
}

#[tokio::test]
async fn a_fault_past_the_end_comes_before_the_finish() {
    let provider = Provider::start().await;
    for dialect in DIALECTS {
        let stream = dialect.stream("cut-50").limit(3).send(&provider).await;
        assert_unfinished(dialect, &stream, THREE_TOKENS);
        assert!(!dialect.plain("cut-50").limit(3).send(&provider).await.is_json());
    }
}
