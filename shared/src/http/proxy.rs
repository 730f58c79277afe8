//! A whole answer in the form that API Gateway takes from a function that does not stream.

use futures_util::StreamExt;
use http::{HeaderName, HeaderValue, Response};
use serde_json::{Map, Value, json};

use super::Body;

/// The response of a proxy integration.
pub async fn proxied(response: Response<Body>) -> Value {
    let (head, mut body) = response.into_parts();
    let mut bytes = Vec::new();
    while let Some(part) = body.parts.next().await {
        bytes.extend_from_slice(&part);
    }
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.to_string(), Value::from(value.to_str().unwrap_or_default()))
    };
    let headers: Map<String, Value> = head.headers.iter().map(header).collect();
    let text = String::from_utf8_lossy(&bytes);
    json!({ "statusCode": head.status.as_u16(), "headers": headers, "body": text, "isBase64Encoded": false })
}
