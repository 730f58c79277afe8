//! Errors as the chat-completions dialect words them.

use http::header::{HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::body::{Body, Reset};
use super::routes;
use super::script::ScriptError;

#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    message: String,
    kind: &'static str,
    param: Option<&'static str>,
    code: Option<&'static str>,
    retry_after: Option<u64>,
}

/// Why a request gets no answer: an error to tell, or a connection to reset before any header.
#[derive(Debug)]
pub(super) enum Refusal {
    Error(ApiError),
    Reset(Reset),
}

impl ApiError {
    pub(super) fn invalid(param: Option<&'static str>, message: impl Into<String>) -> Self {
        Self { param, ..Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", message) }
    }

    pub(super) fn unknown_model(model: &str, error: &ScriptError) -> Self {
        let message = format!("The model `{model}` is not a script of the demo provider: {error}");
        let code = Some("model_not_found");
        Self { code, ..Self::new(StatusCode::NOT_FOUND, "invalid_request_error", message) }
    }

    pub(super) fn unknown_url(method: &http::Method, path: &str) -> Self {
        let message = format!("Unknown request URL: {method} {path}");
        let code = Some("unknown_url");
        Self { code, ..Self::new(StatusCode::NOT_FOUND, "invalid_request_error", message) }
    }

    /// The body is too long or broke off; in the second case nobody is left to read this.
    pub(super) fn unreadable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request_error", message)
    }

    /// A status that the script asks for.
    pub(super) fn scripted(status: u16, retry_after: Option<u64>) -> Self {
        let (kind, code, reason) = match status {
            429 => ("requests", Some("rate_limit_exceeded"), "Rate limit reached"),
            529 => ("overloaded_error", None, "The model is overloaded"),
            503 => ("server_error", None, "The engine is currently overloaded"),
            _ => ("server_error", None, "The server had an error while processing the request"),
        };
        let status = StatusCode::from_u16(status).expect("the script allows valid codes only");
        let message = format!("{reason} (scripted by the demo provider).");
        Self { code, retry_after, ..Self::new(status, kind, message) }
    }

    /// The error inside a 200.
    pub(super) fn in_stream() -> Self {
        Self::scripted(500, None)
    }

    pub(super) fn body(&self) -> Value {
        json!({ "error": {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        }})
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = routes::json(self.status, &self.body());
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), kind, param: None, code: None, retry_after: None }
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Error(error)
    }
}
