//! The API of OpenAI: chat completions and embeddings.

use http::HeaderMap;
use serde_json::{Value, json};

use super::dialect::Api;
use super::error::{ApiError, Kind};

pub(super) use embeddings::read as read_embeddings;

mod chat;
mod chunk;
mod embeddings;
mod request;

pub(super) struct OpenAi;

impl Api for OpenAi {
    /// Local servers that speak this API ask for no key.
    fn admit(&self, _: &HeaderMap) -> Result<(), ApiError> {
        Ok(())
    }

    fn id_header(&self) -> &'static str {
        "x-request-id"
    }

    fn error(&self, error: &ApiError, _: u64) -> Value {
        let (kind, code) = match (error.kind, error.status.as_u16()) {
            (Kind::UnknownModel, _) => ("invalid_request_error", Some("model_not_found")),
            (Kind::UnknownUrl, _) => ("invalid_request_error", Some("unknown_url")),
            (Kind::Scripted, 429) => ("requests", Some("rate_limit_exceeded")),
            (Kind::Scripted, 529) => ("overloaded_error", None),
            (Kind::Scripted, _) => ("server_error", None),
            _ => ("invalid_request_error", None),
        };
        json!({ "error": {
            "message": error.message,
            "type": kind,
            "param": error.param,
            "code": code,
        }})
    }
}
