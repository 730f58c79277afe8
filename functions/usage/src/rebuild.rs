//! `POST /admin/usage/rebuild`: folds the ledger again, a bounded piece of it at a time.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use serde::Serialize;
use shared::app::body::object;
use shared::app::error::GatewayError;
use shared::app::rollups::rebuild;
use shared::domain::key::KeyRecord;
use shared::domain::time::Timestamp;
use shared::http::{Body, json, token};
use shared::protocol::fields::{BadRequest, Fields};
use tokio::time::Instant;

use super::Usage;
use super::query::hour;

/// How long one call works, well below what API Gateway waits.
const WORK: Duration = Duration::from_secs(15);

/// What one call did. Calling again with `next` as `from` goes on.
#[derive(Debug, Serialize)]
struct Done {
    from: String,
    to: String,
    hours: u64,
    next: Option<String>,
}

/// Fields: `from` and `to`, full hours; from the first key and to now, where they are left out.
pub(crate) async fn respond(
    usage: &Usage,
    request: &Request<Bytes>,
    request_id: &str,
) -> Result<Response<Body>, GatewayError> {
    if !usage.is_admin(token(request.headers()).as_deref()) {
        return Err(GatewayError::Unauthorized);
    }
    let mut fields = match request.body().is_empty() {
        true => Fields::new(serde_json::Map::new()),
        false => Fields::new(object(request.body())?),
    };
    let (from, to) = (time(&mut fields, "from")?, time(&mut fields, "to")?);
    fields.nothing_else()?;
    let keys = usage.every_key().await?;
    let to = to.map_or(usage.clock.now().hour() + 1, Timestamp::hour);
    let from = from.map(Timestamp::hour).or_else(|| first_hour(&keys)).unwrap_or(to);
    if from > to {
        return Err(BadRequest::new("to", "to must not be before from").into());
    }
    let tenants: BTreeSet<String> = keys.into_iter().map(|record| record.tenant).collect();
    let rebuilt = rebuild(&usage.stores(), &tenants, from..to, Instant::now() + WORK).await;
    let rebuilt = rebuilt.map_err(GatewayError::StoreDown)?;
    let at = |hour: i64| Timestamp::of_hour(hour).rfc3339();
    let done = Done { from: at(from), to: at(to), hours: rebuilt.hours, next: rebuilt.next.map(at) };
    Ok(json(200, request_id, &done))
}

/// Nobody used anything before the first key.
fn first_hour(keys: &[KeyRecord]) -> Option<i64> {
    keys.iter().map(|record| record.created_at.hour()).min()
}

fn time(fields: &mut Fields, name: &str) -> Result<Option<Timestamp>, BadRequest> {
    fields.string(name)?.map(|text| hour(name, &text)).transpose()
}
