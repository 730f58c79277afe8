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
            Dialect::Anthropic => {
                let mut error = self.details.clone();
                error.insert("message".into(), json!(self.message));
                error.insert("type".into(), json!(anthropic_type(self.status)));
                error.insert("param".into(), json!(self.param));
                error.insert("code".into(), json!(self.code));
                json!({ "type": "error", "error": error })
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

/// The class of an error in Anthropic's words, which follow from the status.
fn anthropic_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_callers_are_told_in_anthropics_words() {
        let report = ErrorReport {
            param: Some("model".to_owned()),
            details: Map::from_iter([("cap".to_owned(), json!("1.5"))]),
            ..no_route("POST", "/v1/messages/nothing", false)
        };
        let expected = json!({
            "type": "error",
            "error": {
                "type": "not_found_error", "message": "there is no POST /v1/messages/nothing",
                "param": "model", "code": "route_not_found", "cap": "1.5",
            },
        });
        assert_eq!(report.body(Dialect::Anthropic), expected);
        let types = [400, 401, 402, 403, 405, 413, 429, 502, 503].map(anthropic_type);
        let expected = [
            "invalid_request_error",
            "authentication_error",
            "billing_error",
            "permission_error",
            "invalid_request_error",
            "request_too_large",
            "rate_limit_error",
            "api_error",
            "overloaded_error",
        ];
        assert_eq!(types, expected);
    }
}
