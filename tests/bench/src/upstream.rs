//! An upstream in the OpenAI dialect that answers every chat at once with the same 32 tokens.

use std::convert::Infallible;
use std::sync::LazyLock;

use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use serde_json::{Value, json};

const TOKENS: usize = 32;
const WORD: &str = " token";

static PLAIN: LazyLock<Bytes> = LazyLock::new(|| {
    let message = json!({ "role": "assistant", "content": WORD.repeat(TOKENS) });
    let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
    let mut answer = head("chat.completion", json!([choice]));
    answer["usage"] = usage();
    Bytes::from(answer.to_string())
});

/// Each event is a frame of its own, as tokens of a model are.
static EVENTS: LazyLock<Vec<Bytes>> = LazyLock::new(|| {
    let choice =
        |delta: Value, finish: Value| json!([{ "index": 0, "delta": delta, "finish_reason": finish }]);
    let mut choices = vec![choice(json!({ "role": "assistant", "content": "" }), Value::Null)];
    choices.extend((0..TOKENS).map(|_| choice(json!({ "content": WORD }), Value::Null)));
    choices.push(choice(json!({}), json!("stop")));
    let mut chunks: Vec<Value> =
        choices.into_iter().map(|choice| head("chat.completion.chunk", choice)).collect();
    let mut last = head("chat.completion.chunk", json!([]));
    last["usage"] = usage();
    chunks.push(last);
    let mut events: Vec<Bytes> =
        chunks.iter().map(|chunk| Bytes::from(format!("data: {chunk}\n\n"))).collect();
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    events
});

type Answer = UnsyncBoxBody<Bytes, Infallible>;

pub(crate) async fn answer(request: Request<Incoming>) -> Response<Answer> {
    let Ok(body) = request.into_body().collect().await else {
        return Response::new(Full::default().boxed_unsync());
    };
    let asked = serde_json::from_slice::<Value>(&body.to_bytes()).unwrap_or_default();
    let (media, body) = match asked["stream"] == true {
        true => ("text/event-stream", streamed()),
        false => ("application/json", Full::new(PLAIN.clone()).boxed_unsync()),
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(media));
    response
}

fn streamed() -> Answer {
    let frames = EVENTS.iter().map(|event| Ok(Frame::data(event.clone())));
    StreamBody::new(stream::iter(frames)).boxed_unsync()
}

fn head(object: &str, choices: Value) -> Value {
    json!({ "id": "chatcmpl-bench", "object": object, "created": 1_700_000_000, "model": "m", "choices": choices })
}

fn usage() -> Value {
    json!({ "prompt_tokens": 24, "completion_tokens": TOKENS, "total_tokens": 24 + TOKENS })
}
