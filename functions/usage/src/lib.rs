//! The `usage` function: what a key has used, and the settlements `chat` could not finish.

pub mod event;
pub mod wiring;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use shared::app::authenticate::authenticate_key;
use shared::app::error::GatewayError;
use shared::app::meter::usage_of_key;
use shared::app::settle::settle;
use shared::domain::key::Pepper;
use shared::domain::ledger::LedgerLine;
use shared::domain::time::{Period, Timestamp};
use shared::http::{Body, error, json, token};
use shared::ports::{Clock, Counters, FindKey, ReadLedger, StoreError, WriteLedger};
use shared::protocol::dialect::Dialect;
use shared::protocol::error::no_route;
use shared::protocol::fields::BadRequest;

/// The routes of this function.
pub const ROUTES: &[(&str, &str)] = &[("GET", "/v1/usage")];

/// What the function needs.
pub struct Usage {
    pub keys: Arc<dyn FindKey>,
    pub pepper: Pepper,
    pub clock: Arc<dyn Clock>,
    pub lines: Arc<dyn ReadLedger>,
    pub ledger: Arc<dyn WriteLedger>,
    pub counters: Arc<dyn Counters>,
}

/// Why a settle command was not carried out.
#[derive(Debug)]
pub enum SettleError {
    /// The message is no settle command; repeating cannot help.
    Unreadable(String),
    Store(StoreError),
}

impl fmt::Display for SettleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SettleError::Unreadable(why) => write!(f, "not a settle command: {why}"),
            SettleError::Store(error) => error.fmt(f),
        }
    }
}

/// Answers one request.
pub async fn handle(usage: &Usage, request: Request<Bytes>, request_id: &str) -> Response<Body> {
    let (method, path) = (request.method().clone(), request.uri().path().trim_end_matches('/').to_owned());
    if (method.as_str(), path.as_str()) != ("GET", "/v1/usage") {
        return error(&no_route(method.as_str(), &path, path == "/v1/usage"), Dialect::OpenAi, request_id);
    }
    match report(usage, &request).await {
        Ok(report) => json(200, request_id, &report),
        Err(refused) => error(&refused.logged(Dialect::OpenAi, request_id), Dialect::OpenAi, request_id),
    }
}

/// Finishes one settlement from the queue. Carrying it out again changes nothing.
///
/// # Errors
/// [`SettleError`]; the message goes back to the queue and in the end to the dead letters.
pub async fn settle_message(usage: &Usage, body: &str) -> Result<(), SettleError> {
    let line: LedgerLine =
        serde_json::from_str(body).map_err(|error| SettleError::Unreadable(error.to_string()))?;
    settle(usage.counters.as_ref(), usage.ledger.as_ref(), &line).await.map_err(SettleError::Store)
}

async fn report(
    usage: &Usage,
    request: &Request<Bytes>,
) -> Result<shared::app::meter::UsageReport, GatewayError> {
    let caller =
        authenticate_key(usage.keys.as_ref(), &usage.pepper, token(request.headers()).as_deref()).await?;
    let since = since(request.uri().query().unwrap_or_default(), usage.clock.now())?;
    usage_of_key(usage.lines.as_ref(), &caller.record().id, since).await
}

/// `?period=hour|day|month|total`: from the beginning of the present one. Total is the default.
fn since(query: &str, now: Timestamp) -> Result<Timestamp, BadRequest> {
    let mut since = Timestamp::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        since = match (name, value) {
            ("period", "minute") => Period::Minute.starts_at(now),
            ("period", "hour") => Period::Hour.starts_at(now),
            ("period", "day") => Period::Day.starts_at(now),
            ("period", "month") => Period::Month.starts_at(now),
            ("period", "total") => Timestamp::default(),
            ("period", other) => {
                return Err(BadRequest::new(
                    "period",
                    format!("period must be minute, hour, day, month or total, got {other:?}"),
                ));
            }
            (other, _) => {
                return Err(BadRequest::new(other, format!("unknown query parameter {other:?}")));
            }
        };
    }
    Ok(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_counts_from_its_beginning() {
        let now = Timestamp::from_millis(1_798_761_570_000);
        assert_eq!(since("period=day", now).expect("valid").rfc3339(), "2026-12-31T00:00:00Z");
        assert_eq!(since("period=month", now).expect("valid").rfc3339(), "2026-12-01T00:00:00Z");
        assert_eq!(since("", now).expect("valid"), Timestamp::default());
        assert_eq!(since("period=week", now).expect_err("no such period").param, "period");
        assert_eq!(since("group=model", now).expect_err("no such parameter").param, "group");
    }
}
