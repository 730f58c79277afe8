//! An error as a caller is told it, before a dialect gives it its shape.

use serde_json::{Map, Value, json};

use super::dialect::Dialect;

/// Everything a caller may know of an error.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorReport {
    /// HTTP status, used while the headers have not left.
    pub status: u16,
    /// The class in OpenAI's words, `invalid_request_error`.
    pub kind: &'static str,
    /// The stable code programs test, `quota_exceeded`.
    pub code: &'static str,
    pub message: String,
    /// The field at fault.
    pub param: Option<String>,
    /// Further members of the body: amounts, scope, times.
    pub details: Map<String, Value>,
    /// Seconds.
    pub retry_after: Option<u64>,
    /// False once an attempt may have been billed or a repeat cannot help.
    pub should_retry: Option<bool>,
    /// Further headers, by lower-case name.
    pub headers: Vec<(&'static str, String)>,
}

impl ErrorReport {
    /// The body in the caller's dialect.
    pub fn body(&self, dialect: Dialect) -> Value {
        match dialect {
            Dialect::OpenAi | Dialect::Responses => {
                let mut error = self.details.clone();
                error.insert("message".into(), json!(self.message));
                error.insert("type".into(), json!(self.kind));
                error.insert("param".into(), json!(self.param));
                error.insert("code".into(), json!(self.code));
                json!({ "error": error })
            }
            Dialect::Seed => {
                let mut body = self.details.clone();
                body.insert("error".into(), json!(self.code));
                body.insert("message".into(), json!(self.message));
                if let Some(param) = &self.param {
                    body.insert("param".into(), json!(param));
                }
                if let Some(seconds) = self.retry_after {
                    body.insert("retryAfter".into(), json!(seconds));
                }
                Value::Object(body)
            }
        }
    }
}

/// The answer to a path or method that does not exist.
pub fn no_route(method: &str, path: &str, other_method: bool) -> ErrorReport {
    let (status, code) = if other_method { (405, "method_not_allowed") } else { (404, "route_not_found") };
    ErrorReport {
        status,
        kind: "invalid_request_error",
        code,
        message: format!("there is no {method} {path}"),
        param: None,
        details: Map::new(),
        retry_after: None,
        should_retry: Some(false),
        headers: Vec::new(),
    }
}
