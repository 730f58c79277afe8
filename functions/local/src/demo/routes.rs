//! The routes: the provider's own API, and the test's view of it.

use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::body::{Body, Reset, whole};
use super::chat;
use super::error::{ApiError, Refusal};
use super::state::{Demo, bare};

const BEHAVIOURS: &str = "/behaviours/";
const MAX_BODY: usize = 32 << 20;

/// One of each kind, for `GET /v1/models`; any other script is a model too.
const EXAMPLES: [&str; 18] = [
    "ok",
    "tokens-100",
    "delay-500",
    "pace-50",
    "429",
    "429-retry-2",
    "500",
    "502",
    "503",
    "529",
    "hang",
    "stall-3",
    "cut-3",
    "reset-3",
    "badjson-3",
    "error-3",
    "nousage",
    "tool",
];

pub(super) async fn route(demo: Demo, request: Request<Incoming>) -> Result<Response<Body>, Reset> {
    match dispatch(&demo, request).await {
        Ok(response) => Ok(response),
        Err(Refusal::Error(error)) => Ok(error.into_response()),
        Err(Refusal::Reset(reset)) => Err(reset),
    }
}

async fn dispatch(demo: &Demo, request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    match head.method {
        Method::POST if path.ends_with("/chat/completions") => {
            chat::complete(demo, &read(body).await?, now()).await
        }
        Method::GET if path.ends_with("/models") => Ok(models(demo, now())),
        Method::GET if path == "/calls" => Ok(json(StatusCode::OK, &json!(demo.all_calls()))),
        Method::GET if path == "/bill" => Ok(json(StatusCode::OK, &json!(demo.bill()))),
        Method::PUT if path.starts_with(BEHAVIOURS) => {
            Ok(set_behaviour(demo, &path[BEHAVIOURS.len()..], &read(body).await?)?)
        }
        _ => Err(ApiError::unknown_url(&head.method, path).into()),
    }
}

/// A response of one content type.
pub(super) fn typed(status: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(super) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    typed(status, "application/json", whole(value.to_string()))
}

fn models(demo: &Demo, now: SystemTime) -> Response<Body> {
    let created = chat::epoch_seconds(now);
    let mut names = demo.behaviour_names();
    names.extend(EXAMPLES.map(str::to_owned));
    names.sort();
    names.dedup();
    let entry = |name: &String| {
        let id = format!("demo/{name}");
        json!({ "id": id, "object": "model", "created": created, "owned_by": "demo" })
    };
    let data: Vec<Value> = names.iter().map(entry).collect();
    json(StatusCode::OK, &json!({ "object": "list", "data": data }))
}

fn set_behaviour(demo: &Demo, model: &str, script: &[u8]) -> Result<Response<Body>, ApiError> {
    let model = bare(model);
    if model.is_empty() || model.contains(['/', '%']) {
        let message = "the path ends in a model name as it stands, such as `primary`";
        return Err(ApiError::invalid(Some("model"), message));
    }
    let script = String::from_utf8_lossy(script);
    match demo.set_behaviour(model, &script) {
        Ok(()) => Ok(typed(StatusCode::NO_CONTENT, "text/plain", whole(Bytes::new()))),
        Err(error) => Err(ApiError::invalid(Some("script"), error.to_string())),
    }
}

async fn read(body: Incoming) -> Result<Bytes, ApiError> {
    let collected = Limited::new(body, MAX_BODY).collect().await;
    let collected = collected.map_err(|error| ApiError::unreadable(error.to_string()))?;
    Ok(collected.to_bytes())
}

#[expect(clippy::disallowed_methods, reason = "a provider is an edge of its own")]
fn now() -> SystemTime {
    SystemTime::now()
}
