//! `GET /v1/cache/stats`: what the cache answered, of one key, or of all for the admin.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use shared::app::error::GatewayError;
use shared::app::meter::Sources;
use shared::app::semantic::{Scope, Statistics, stats};
use shared::app::unavailable::Unavailable;
use shared::domain::time::Timestamp;
use shared::http::{Body, json};
use shared::protocol::fields::BadRequest;

use super::{Asking, Cache};

/// How far back figures go where nobody says.
const DAY: Duration = Duration::from_secs(86_400);

/// `?since=` a time in RFC 3339 or a date; else since a day ago.
pub(crate) async fn respond(
    cache: &Cache,
    request: &Request<Bytes>,
    request_id: &str,
) -> Result<Response<Body>, GatewayError> {
    let who = cache.who(request).await?;
    let now = cache.clock.now();
    let since = since(request.uri().query(), now)?;
    let records = match who {
        Asking::Admin => cache.all_keys.list().await.map_err(|error| Unavailable::Keys.because(error))?,
        Asking::Key(caller) => vec![caller.record().clone()],
    };
    let tenants: BTreeSet<String> = records.iter().map(|record| record.tenant.clone()).collect();
    let scope = Scope { keys: records.into_iter().map(|record| record.id).collect(), tenants, since };
    let usage = Sources { ledger: cache.lines.as_ref(), rollups: cache.rollups.as_ref() };
    let sources = Statistics { usage, precision: cache.precision.as_ref() };
    Ok(json(200, request_id, &stats(&sources, &scope, now).await?))
}

fn since(query: Option<&str>, now: Timestamp) -> Result<Timestamp, BadRequest> {
    let a_day_ago = Timestamp::from_millis(now.millis().saturating_sub(DAY.as_millis() as i64));
    let mut since = a_day_ago;
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if name != "since" {
            return Err(BadRequest::new(&*name, format!("unknown query parameter {name:?}")));
        }
        since = Timestamp::parse(&value).ok_or_else(|| {
            let example = "such as 2026-11-24T10:00:00Z or 2026-11-24";
            BadRequest::new("since", format!("since must be a date or a time in RFC 3339, {example}"))
        })?;
    }
    Ok(since)
}
