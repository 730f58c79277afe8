//! HTTP as every function speaks it: keys in headers, errors as bodies, bodies that stream.

mod body;
mod proxy;

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use serde::Serialize;

pub use body::Body;
pub use proxy::proxied;

use crate::protocol::dialect::Dialect;
use crate::protocol::error::ErrorReport;

/// The key a caller sent, as `Authorization: Bearer` or `x-api-key`. Two different ones are none.
pub fn token(headers: &HeaderMap) -> Option<String> {
    let mut found: Vec<&str> = Vec::new();
    for value in headers.get_all("authorization") {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        found.push(scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())?);
    }
    for value in headers.get_all("x-api-key") {
        found.push(value.to_str().ok()?.trim());
    }
    found.dedup();
    match found.as_slice() {
        [token] if !token.is_empty() => Some((*token).to_owned()),
        _ => None,
    }
}

/// Where a request came from, as the server saw it; an extension of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerAddress(pub String);

/// A JSON answer.
pub fn json(status: u16, request_id: &str, value: &impl Serialize) -> Response<Body> {
    whole(status, request_id, "application/json", serde_json::to_string(value).unwrap_or_default())
}

/// An answer of any type.
pub fn whole(status: u16, request_id: &str, content_type: &str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::whole(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    set(response.headers_mut(), CONTENT_TYPE, content_type);
    set(response.headers_mut(), HeaderName::from_static("x-request-id"), request_id);
    set(response.headers_mut(), HeaderName::from_static("x-content-type-options"), "nosniff");
    response
}

/// An error in the caller's dialect.
pub fn error(report: &ErrorReport, dialect: Dialect, request_id: &str) -> Response<Body> {
    let mut response = json(report.status, request_id, &report.body(dialect));
    let headers = response.headers_mut();
    identify(headers, dialect, request_id);
    if let Some(seconds) = report.retry_after {
        set(headers, RETRY_AFTER, &seconds.to_string());
    }
    for (name, value) in &report.headers {
        set(headers, HeaderName::from_static(name), value);
    }
    if let Some(retry) = report.should_retry {
        set(headers, HeaderName::from_static("x-should-retry"), if retry { "true" } else { "false" });
    }
    response
}

/// Says which request is answered, also where the dialect's SDKs look for it.
pub fn identify(headers: &mut HeaderMap, dialect: Dialect, request_id: &str) {
    set(headers, HeaderName::from_static("x-request-id"), request_id);
    if dialect == Dialect::Anthropic {
        set(headers, HeaderName::from_static("request-id"), request_id);
    }
}

/// Sets a header; a value that HTTP cannot carry is left out.
pub fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header"))
        });
        pairs.collect()
    }

    #[test]
    fn a_key_is_taken_from_either_header() {
        assert_eq!(token(&headers(&[("authorization", "Bearer tg_a")])).as_deref(), Some("tg_a"));
        assert_eq!(token(&headers(&[("authorization", "bearer  tg_a ")])).as_deref(), Some("tg_a"));
        assert_eq!(token(&headers(&[("x-api-key", "tg_a")])).as_deref(), Some("tg_a"));
        assert_eq!(
            token(&headers(&[("authorization", "Bearer tg_a"), ("x-api-key", "tg_a")])).as_deref(),
            Some("tg_a")
        );
    }

    #[test]
    fn anything_doubtful_is_no_key() {
        for pairs in [
            vec![],
            vec![("authorization", "tg_a")],
            vec![("authorization", "Basic tg_a")],
            vec![("x-api-key", "")],
            vec![("authorization", "Bearer a"), ("x-api-key", "b")],
        ] {
            assert_eq!(token(&headers(&pairs)), None, "{pairs:?}");
        }
    }
}
