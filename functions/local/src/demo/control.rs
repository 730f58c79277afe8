//! The test's view of the provider, and the list of models.

use std::time::SystemTime;

use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::body::{Body, json, typed, whole};
use super::call::epoch_seconds;
use super::error::ApiError;
use super::state::{Demo, bare};

const BEHAVIOURS: &str = "/behaviours/";

/// One of each kind, for `GET /v1/models`; any other script is a model too.
const EXAMPLES: [&str; 22] = [
    "ok",
    "tokens-100",
    "delay-500",
    "pace-50",
    "408",
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
    "badframe-3",
    "error-3",
    "error-3-529",
    "nousage",
    "tool",
    "tokens-4000+deaf",
];

pub(super) fn answer(
    demo: &Demo,
    method: &Method,
    path: &str,
    body: &[u8],
    now: SystemTime,
) -> Result<Response<Body>, ApiError> {
    match *method {
        Method::GET if path.ends_with("/models") => Ok(models(demo, now)),
        Method::GET if path == "/calls" => Ok(json(StatusCode::OK, &json!(demo.all_calls()))),
        Method::GET if path == "/bill" => Ok(json(StatusCode::OK, &json!(demo.bill()))),
        Method::PUT if path.starts_with(BEHAVIOURS) => set_behaviour(demo, &path[BEHAVIOURS.len()..], body),
        _ => Err(ApiError::unknown_url(method, path)),
    }
}

fn models(demo: &Demo, now: SystemTime) -> Response<Body> {
    let created = epoch_seconds(now);
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
        Ok(()) => Ok(typed(StatusCode::NO_CONTENT, "text/plain", whole(""))),
        Err(error) => Err(ApiError::invalid(Some("script"), error.to_string())),
    }
}
