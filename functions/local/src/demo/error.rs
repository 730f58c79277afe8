//! What goes wrong, before a dialect words it.

use http::StatusCode;

use super::body::Reset;
use super::script::ScriptError;

#[derive(Debug)]
pub(super) struct ApiError {
    pub(super) kind: Kind,
    pub(super) status: StatusCode,
    pub(super) message: String,
    /// The field at fault.
    pub(super) param: Option<&'static str>,
    /// Seconds.
    pub(super) retry_after: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Invalid,
    TooLarge,
    Unauthenticated,
    UnknownModel,
    UnknownUrl,
    Scripted,
}

/// Why a request gets no answer: an error to tell, or a connection to reset before any header.
#[derive(Debug)]
pub(super) enum Refusal {
    Error(ApiError),
    Reset(Reset),
}

impl ApiError {
    pub(super) fn invalid(param: Option<&'static str>, message: impl Into<String>) -> Self {
        Self { param, ..Self::new(Kind::Invalid, StatusCode::BAD_REQUEST, message) }
    }

    pub(super) fn malformed(error: &serde_json::Error) -> Self {
        Self::invalid(None, format!("invalid request body: {error}"))
    }

    pub(super) fn unauthenticated(status: StatusCode, message: &str) -> Self {
        Self::new(Kind::Unauthenticated, status, message)
    }

    pub(super) fn unknown_model(model: &str, error: &ScriptError) -> Self {
        let message = format!("The model `{model}` is not a script of the demo provider: {error}");
        Self::new(Kind::UnknownModel, StatusCode::NOT_FOUND, message)
    }

    pub(super) fn unknown_url(method: &http::Method, path: &str) -> Self {
        let message = format!("Unknown request URL: {method} {path}");
        Self::new(Kind::UnknownUrl, StatusCode::NOT_FOUND, message)
    }

    /// The body is too long or broke off; in the second case nobody is left to read this.
    pub(super) fn unreadable(message: impl Into<String>) -> Self {
        Self::new(Kind::TooLarge, StatusCode::PAYLOAD_TOO_LARGE, message)
    }

    /// A status that the script asks for, as the answer or inside one.
    pub(super) fn scripted(status: u16, retry_after: Option<u64>) -> Self {
        let reason = match status {
            408 => "The model took too long",
            424 => "The model failed in the middle of its answer",
            429 => "Rate limit reached",
            503 => "The engine is currently overloaded",
            529 => "The model is overloaded",
            _ => "The server had an error while processing the request",
        };
        let status = StatusCode::from_u16(status).expect("the script allows valid codes only");
        let message = format!("{reason} (scripted by the demo provider).");
        Self { retry_after, ..Self::new(Kind::Scripted, status, message) }
    }

    fn new(kind: Kind, status: StatusCode, message: impl Into<String>) -> Self {
        Self { kind, status, message: message.into(), param: None, retry_after: None }
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Error(error)
    }
}
