//! `GET /admin/overview`: the figures of the dashboard.

use http::Method;
use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use sha2::{Digest, Sha256};
use shared::app::overview::{DAYS_MAX, Overview};
use shared::domain::key::hex;
use shared::http::{set, whole};
use shared::protocol::fields::BadRequest;

use super::{Answered, Call};

pub(crate) async fn respond(overview: &Overview, call: &Call<'_>) -> Answered {
    if call.request.method() != Method::GET {
        return Ok(None);
    }
    let days = call.query(&["days"])?.parsed("days", &format!("a whole number from 1 to {DAYS_MAX}"))?;
    let days = days.unwrap_or(7);
    if !(1..=DAYS_MAX).contains(&days) {
        let text = format!("days must be a whole number from 1 to {DAYS_MAX}, got {days}");
        return Err(BadRequest::new("days", text).into());
    }
    let view = overview.view(call.admin, days).await?;
    let body = serde_json::to_string(&view).unwrap_or_default();
    let tag = format!("\"{}\"", &hex(&Sha256::digest(body.as_bytes()))[..16]);
    let is_known = call.request.headers().get(IF_NONE_MATCH).is_some_and(|known| known == tag.as_str());
    let (status, body) = if is_known { (304, String::new()) } else { (200, body) };
    let mut response = whole(status, call.id, "application/json", body);
    set(response.headers_mut(), ETAG, &tag);
    set(response.headers_mut(), CACHE_CONTROL, "private, no-cache");
    Ok(Some(response))
}
