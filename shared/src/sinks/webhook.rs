//! A webhook: the alert as JSON, signed where there is a secret.
//!
//! `x-tollgate-signature: t=<seconds since the epoch>,v1=<hex>`, where `v1` is the HMAC-SHA-256 of
//! `<t>.<body>` under the secret. `x-tollgate-alert` names the alert, so that a receiver can tell a
//! repetition.

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::post;
use crate::config::BaseUrl;
use crate::domain::alert::{Alert, Telling};
use crate::domain::key::hex;
use crate::domain::time::Timestamp;

pub(super) fn request(
    url: &BaseUrl,
    secret: Option<&str>,
    alert: &Alert,
    telling: Telling,
    now: Timestamp,
) -> Result<http::Request<String>, String> {
    let mut request = post(url.as_str(), &document(alert, telling))?;
    let signature = secret.map(|secret| signature(secret, request.body(), now));
    let headers = [
        Some(("x-tollgate-alert", alert.id.as_str().to_owned())),
        signature.map(|s| ("x-tollgate-signature", s)),
    ];
    for (name, value) in headers.into_iter().flatten() {
        request.headers_mut().insert(name, value.parse().map_err(|_| "a header cannot be written")?);
    }
    Ok(request)
}

/// The alert, the event, and the alert in words.
pub(super) fn document(alert: &Alert, telling: Telling) -> Value {
    let mut document = json!(alert);
    document["at"] = json!(alert.at.rfc3339());
    document["event"] = json!(telling);
    document["title"] = json!(alert.title());
    document
}

fn signature(secret: &str, body: &str, now: Timestamp) -> String {
    let at = now.seconds();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{at}.{body}").as_bytes());
    format!("t={at},v1={}", hex(&mac.finalize().into_bytes()))
}
