//! Cross-origin calls, for pages that hold a browser-safe token: an allowlist, empty by default.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderMap, ORIGIN, VARY,
};
use http::{Response, StatusCode};
use shared::http::{Body, set};

/// The origin of a request, if pages of it may call.
pub(crate) fn allowed(headers: &HeaderMap, origins: &[String]) -> Option<String> {
    let origin = headers.get(ORIGIN)?.to_str().ok()?;
    origins.iter().find(|allowed| *allowed == origin).cloned()
}

/// The answer to a preflight: what a page of this origin may send. Others get no permission.
pub(crate) fn preflight(origin: Option<&str>) -> Response<Body> {
    let mut response = Response::new(Body::whole(""));
    *response.status_mut() = StatusCode::NO_CONTENT;
    if origin.is_some() {
        let headers = response.headers_mut();
        set(headers, ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS");
        set(headers, ACCESS_CONTROL_ALLOW_HEADERS, "*, authorization");
        set(headers, ACCESS_CONTROL_MAX_AGE, "7200");
    }
    permit(&mut response, origin);
    response
}

/// Lets a page of the origin read the answer.
pub(crate) fn permit(response: &mut Response<Body>, origin: Option<&str>) {
    let headers = response.headers_mut();
    if let Some(origin) = origin {
        set(headers, ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        set(headers, ACCESS_CONTROL_EXPOSE_HEADERS, "*");
    }
    set(headers, VARY, "origin");
}
