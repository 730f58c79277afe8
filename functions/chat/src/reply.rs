//! Turns a reply of the use case into an HTTP response.

use std::sync::Arc;
use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName};
use http::{Response, StatusCode};
use shared::app::App;
use shared::app::error::GatewayError;
use shared::app::reserve::RateView;
use shared::app::serve::{CacheStatus, Frame, Near, Opened, Reply, Timing};
use shared::http::{Body, error, identify, set};
use shared::protocol::dialect::{Dialect, ReplyHead};
use tokio::time::timeout;

use super::{plain, stream};

/// Why an answer ends that the gateway cut off: it had cost what was held for it.
pub(crate) const STOPPED: &str = "cost_limit";

/// Waits for the first content, or for the first ping of a stream, whichever comes first: that
/// commits the status.
pub(crate) async fn respond(app: &Arc<App>, dialect: Dialect, mut reply: Reply) -> Response<Body> {
    if !reply.streams {
        return plain::respond(dialect, reply).await;
    }
    let first = timeout(app.tuning.ping, reply.frames.recv()).await;
    match first {
        Ok(Some(Frame::Open(opened))) => stream::respond(dialect, reply, Some(opened), app.tuning.ping),
        Err(_) => stream::respond(dialect, reply, None, app.tuning.ping),
        Ok(Some(Frame::Failed(failed))) => refuse(&failed, dialect, &reply.request_id.to_string()),
        Ok(Some(Frame::Chunk(_) | Frame::End(_)) | None) => {
            refuse(&lost(), dialect, &reply.request_id.to_string())
        }
    }
}

/// An error answer.
pub(crate) fn refuse(refused: &GatewayError, dialect: Dialect, request_id: &str) -> Response<Body> {
    error(&refused.logged(dialect, request_id), dialect, request_id)
}

/// The task that serves a request ended without a last word: it panicked.
pub(crate) fn lost() -> GatewayError {
    GatewayError::BrokenStream { detail: "the serving task ended without an answer".to_owned() }
}

pub(crate) fn head(reply: &Reply, opened: Option<&Opened>) -> ReplyHead {
    let served_by = opened.map(|opened| opened.served_by.clone()).unwrap_or_default();
    ReplyHead {
        request_id: reply.answers.to_string(),
        model: opened.and_then(|opened| opened.model.clone()).unwrap_or_else(|| served_by.clone()),
        served_by,
        fingerprint: opened.and_then(|opened| opened.fingerprint.clone()),
        created: reply.created,
        from_cache: reply.from_cache,
        include_usage: reply.include_usage,
        choices: reply.choices,
        usage: opened.map(|opened| opened.usage).unwrap_or_default(),
        echo: reply.echo.clone(),
    }
}

/// The headers every answer of a model carries.
pub(crate) fn begin(
    dialect: Dialect,
    reply: &Reply,
    opened: Option<&Opened>,
    content_type: &str,
    body: Body,
) -> Response<Body> {
    let mut response = bare(content_type, &reply.request_id.to_string(), body);
    let headers = response.headers_mut();
    identify(headers, dialect, &reply.request_id.to_string());
    tell_cache(headers, reply.cache, detail(reply), reply.is_replay());
    if let Some(cosine) = reply.near.as_ref().and_then(Near::cosine) {
        put(headers, "x-tollgate-similarity", &format!("{cosine:.4}"));
    }
    if let Some(opened) = opened {
        tell_source(headers, &opened.served_by, opened.attempts, opened.rates);
    }
    put(headers, "server-timing", &server_timing(&reply.timing, opened));
    response
}

/// What the cache had against it: why it was passed by, or what the search for near questions came to.
fn detail(reply: &Reply) -> Option<&str> {
    match reply.cache {
        CacheStatus::Exact => None,
        CacheStatus::Semantic => Some("semantic"),
        CacheStatus::Miss => reply.near.as_ref().map(|near| near.came.as_str()),
        CacheStatus::Bypass => reply.bypass,
    }
}

/// Where the answer was looked for, and in one word why it was not found.
pub(crate) fn tell_cache(headers: &mut HeaderMap, cache: CacheStatus, detail: Option<&str>, is_replay: bool) {
    let (word, status) = match cache {
        CacheStatus::Exact => ("exact", "hit"),
        CacheStatus::Semantic => ("semantic", "hit"),
        CacheStatus::Miss => ("miss", "fwd=miss"),
        CacheStatus::Bypass => ("bypass", "fwd=bypass"),
    };
    put(headers, "x-tollgate-cache", word);
    let detail = detail.map(|detail| format!("; detail={detail}")).unwrap_or_default();
    put(headers, "cache-status", &format!("tollgate; {status}{detail}"));
    if is_replay {
        put(headers, "idempotent-replayed", "true");
    }
}

/// Which model it came from, after how many attempts, and what the rate windows leave.
pub(crate) fn tell_source(headers: &mut HeaderMap, served_by: &str, attempts: u32, rates: RateView) {
    put(headers, "x-tollgate-model", served_by);
    put(headers, "x-tollgate-attempts", &attempts.to_string());
    for (name, value) in rates.headers() {
        put(headers, name, &value);
    }
}

/// A success with the headers that every one has.
pub(crate) fn bare(content_type: &str, request_id: &str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    set(headers, CONTENT_TYPE, content_type);
    set(headers, CACHE_CONTROL, "no-store");
    put(headers, "x-content-type-options", "nosniff");
    put(headers, "x-request-id", request_id);
    response
}

pub(crate) fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    set(headers, HeaderName::from_static(name), value);
}

/// What the gateway itself cost, in milliseconds; `upstream` is the provider's first token.
fn server_timing(timing: &Timing, opened: Option<&Opened>) -> String {
    let admit = opened.map_or(timing.admit, |opened| timing.admit + opened.admitted_after);
    let mut parts = vec![entry("auth", timing.auth), entry("cache", timing.cache)];
    parts.extend(timing.lookup.map(|lookup| entry("lookup", lookup)));
    parts.push(entry("admit", admit));
    if let Some(opened) = opened.filter(|opened| opened.attempts > 0) {
        parts.push(entry("upstream", opened.first_token_after));
    }
    parts.join(", ")
}

pub(crate) fn entry(name: &str, spent: Duration) -> String {
    let micros = spent.as_micros();
    format!("{name};dur={}.{:03}", micros / 1000, micros % 1000)
}
