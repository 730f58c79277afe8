//! The API of Amazon Bedrock: Converse, and the embeddings that InvokeModel gives.

use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::dialect::Api;
use super::error::ApiError;

pub(super) use invoke::read as read_invoke;

mod converse;
mod frame;
mod invoke;
mod request;

pub(super) struct Bedrock;

/// What a path asks of which model.
pub(super) struct Target {
    pub(super) action: Action,
    pub(super) model: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Converse { stream: bool },
    Invoke,
}

/// Reads `/model/{modelId}/{action}`.
pub(super) fn target(path: &str) -> Option<Target> {
    let (_, rest) = path.rsplit_once("/model/")?;
    let (model, action) = rest.split_once('/')?;
    let action = match action {
        "converse" => Action::Converse { stream: false },
        "converse-stream" => Action::Converse { stream: true },
        "invoke" => Action::Invoke,
        _ => return None,
    };
    let model = percent_decode_str(model).decode_utf8().ok()?.into_owned();
    Some(Target { action, model })
}

impl Api for Bedrock {
    /// The signature is not checked.
    fn admit(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        match headers.contains_key(AUTHORIZATION) {
            true => Ok(()),
            false => Err(ApiError::unauthenticated(StatusCode::FORBIDDEN, "Missing Authentication Token")),
        }
    }

    fn id_header(&self) -> &'static str {
        "x-amzn-requestid"
    }

    fn error(&self, error: &ApiError, _: u64) -> Value {
        json!({ "message": error.message })
    }

    fn error_type(&self, error: &ApiError) -> Option<(&'static str, &'static str)> {
        Some(("x-amzn-errortype", exception(error.status)))
    }
}

/// The exception of a status; Bedrock has none of its own for 502 and 529.
fn exception(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 | 413 => "ValidationException",
        403 => "MissingAuthenticationTokenException",
        404 => "ResourceNotFoundException",
        408 => "ModelTimeoutException",
        429 => "ThrottlingException",
        503 | 529 => "ServiceUnavailableException",
        _ => "InternalServerException",
    }
}
