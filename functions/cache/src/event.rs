//! The function's triggers, told apart by their shape: `chat`, which invokes it with a question, and
//! API Gateway.

use bytes::Bytes;
use http::Request;
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use shared::app::semantic::look_up;
use shared::http::proxied;
use shared::ports::Question;

use super::{Cache, handle};

/// One invocation by either. What fails for `chat` is an error of the invocation.
///
/// # Errors
/// When the event is of no known kind, or the lookup failed.
pub async fn invoke(cache: &Cache, event: LambdaEvent<Value>) -> Result<Value, lambda_runtime::Error> {
    let LambdaEvent { payload, context } = event;
    match payload.get("httpMethod").is_some() {
        true => answer(cache, payload, &context.request_id).await,
        false => find(cache, payload).await,
    }
}

async fn find(cache: &Cache, payload: Value) -> Result<Value, lambda_runtime::Error> {
    let question: Question = serde_json::from_value(payload)?;
    let semantic = cache.semantic.as_ref().ok_or("there is no embedder")?;
    let finding = look_up(&semantic.lookup, &question).await.map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(finding)?)
}

async fn answer(cache: &Cache, payload: Value, request_id: &str) -> Result<Value, lambda_runtime::Error> {
    let event: lambda_http::request::LambdaRequest = serde_json::from_value(payload)?;
    let (parts, body) = lambda_http::Request::from(event).into_parts();
    let body = match body {
        lambda_http::Body::Text(text) => Bytes::from(text),
        lambda_http::Body::Binary(bytes) => Bytes::from(bytes),
        _ => Bytes::new(),
    };
    Ok(proxied(handle(cache, Request::from_parts(parts, body), request_id).await).await)
}
