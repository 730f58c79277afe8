//! The function's two triggers, told apart by their shape: the settle queue and API Gateway.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::BodyExt;
use lambda_runtime::LambdaEvent;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Usage, handle, settle_message};

/// The part of an SQS event that is used.
#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    message_id: String,
    body: String,
}

/// One invocation by either trigger.
///
/// # Errors
/// When the event is of neither kind.
pub async fn invoke(usage: &Usage, event: LambdaEvent<Value>) -> Result<Value, lambda_runtime::Error> {
    match event.payload.get("Records").is_some() {
        true => Ok(settle_batch(usage, serde_json::from_value(event.payload)?).await),
        false => answer(usage, event.payload, &event.context.request_id).await,
    }
}

/// Settles each message for itself; those that failed, and only those, come again.
async fn settle_batch(usage: &Usage, batch: Batch) -> Value {
    let mut failures = Vec::new();
    for message in batch.records {
        if let Err(error) = settle_message(usage, &message.body).await {
            tracing::warn!(message = message.message_id, %error, "settlement from the queue failed");
            failures.push(json!({ "itemIdentifier": message.message_id }));
        }
    }
    json!({ "batchItemFailures": failures })
}

async fn answer(usage: &Usage, payload: Value, request_id: &str) -> Result<Value, lambda_runtime::Error> {
    let event: lambda_http::request::LambdaRequest = serde_json::from_value(payload)?;
    let (parts, _) = lambda_http::Request::from(event).into_parts();
    let response = handle(usage, http::Request::from_parts(parts, Bytes::new()), request_id).await;
    let (parts, body) = response.into_parts();
    let text = match body.collect().await.map(http_body_util::Collected::to_bytes) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(never) => match never as Infallible {},
    };
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.to_string(), Value::from(value.to_str().unwrap_or_default()))
    };
    let headers: Map<String, Value> = parts.headers.iter().map(header).collect();
    Ok(
        json!({ "statusCode": parts.status.as_u16(), "headers": headers, "body": text, "isBase64Encoded": false }),
    )
}
