//! The API of Anthropic: messages, and the count of their tokens.

use http::header::AUTHORIZATION;
use http::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};

use super::body::{Body, json, wait};
use super::call::{Call, refuse};
use super::dialect::{Api, request_id};
use super::error::{ApiError, Refusal};
use super::state::bare;
use request::{MessagesRequest, UNSAMPLED_SINCE};

mod messages;
mod request;

const VERSION: &str = "anthropic-version";

pub(super) struct Anthropic;

impl Api for Anthropic {
    fn admit(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        if !headers.contains_key("x-api-key") && !headers.contains_key(AUTHORIZATION) {
            let message = "x-api-key or authorization header is required";
            return Err(ApiError::unauthenticated(StatusCode::UNAUTHORIZED, message));
        }
        if !headers.contains_key(VERSION) {
            return Err(ApiError::invalid(None, "anthropic-version: header is required"));
        }
        Ok(())
    }

    fn id_header(&self) -> &'static str {
        "request-id"
    }

    fn error(&self, error: &ApiError, number: u64) -> Value {
        let kind = match error.status.as_u16() {
            401 => "authentication_error",
            404 => "not_found_error",
            408 => "timeout_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            529 => "overloaded_error",
            400 => "invalid_request_error",
            _ => "api_error",
        };
        json!({
            "type": "error",
            "error": { "type": kind, "message": error.message },
            "request_id": request_id(number),
        })
    }
}

/// Versions are dates, so later ones are greater.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<MessagesRequest, ApiError> {
    let request = MessagesRequest::parse(body)?;
    if headers.get(VERSION).is_some_and(|version| version.as_bytes() >= UNSAMPLED_SINCE.as_bytes()) {
        request.check_sampling()?;
    }
    Ok(request)
}

/// `POST /v1/messages/count_tokens`. Counting is free and no answer, so it is neither charged nor
/// counted as a call; faults before the answer are acted out all the same.
pub(super) async fn count_tokens(call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let request = read(call.headers, call.body)?;
    let script = call.script(bare(&request.model))?;
    refuse(&script).await?;
    wait(script.delay).await;
    Ok(json(StatusCode::OK, &json!({ "input_tokens": request.prompt_tokens() })))
}
