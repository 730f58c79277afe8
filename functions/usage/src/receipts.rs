//! `GET /v1/requests/{id}`: the receipt of a request, for the key that made it and for the admin.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Request, Response};
use shared::app::authenticate::authenticate_key;
use shared::app::error::GatewayError;
use shared::app::receipt::receipt;
use shared::domain::id::AttemptId;
use shared::domain::ledger::LedgerLine;
use shared::http::{Body, error, json, token};
use shared::ports::StoreError;
use shared::protocol::dialect::Dialect;
use shared::protocol::error::{ErrorReport, no_route};

use super::Usage;

/// The last segment of this route's path.
pub(crate) fn id(path: &str) -> Option<&str> {
    path.strip_prefix("/v1/requests/").filter(|id| !id.is_empty() && !id.contains('/'))
}

/// Somebody else's request, one that never was, and what is no id are told alike.
pub(crate) async fn respond(
    usage: &Usage,
    request: &Request<Bytes>,
    request_id: &str,
) -> Result<Response<Body>, GatewayError> {
    let asked = id(request.uri().path().trim_end_matches('/')).unwrap_or_default();
    let lines = lines(usage, token(request.headers()).as_deref(), asked.parse().ok()).await?;
    let receipt = receipt(lines).map_err(|error| StoreError::Rejected(error.to_string()));
    Ok(match receipt.map_err(GatewayError::StoreDown)? {
        Some(receipt) => json(200, request_id, &receipt),
        None => error(&no_receipt(asked), Dialect::OpenAi, request_id),
    })
}

/// The lines of the request that the caller may see.
async fn lines(
    usage: &Usage,
    token: Option<&str>,
    request: Option<AttemptId>,
) -> Result<Vec<LedgerLine>, GatewayError> {
    if usage.is_admin(token) {
        let Some(request) = request else { return Ok(Vec::new()) };
        return of_any_tenant(usage, request).await;
    }
    let caller = authenticate_key(usage.keys.as_ref(), &usage.pepper, token).await?;
    let Some(request) = request else { return Ok(Vec::new()) };
    let record = caller.record();
    let mut lines = usage.lines.of_request(&record.tenant, request).await.map_err(GatewayError::StoreDown)?;
    lines.retain(|line| line.key_id == record.id);
    Ok(lines)
}

/// An id does not say whose request it was, and tenants are few.
async fn of_any_tenant(usage: &Usage, request: AttemptId) -> Result<Vec<LedgerLine>, GatewayError> {
    let keys = usage.every_key().await?;
    let tenants: BTreeSet<String> = keys.into_iter().map(|record| record.tenant).collect();
    for tenant in &tenants {
        let lines = usage.lines.of_request(tenant, request).await.map_err(GatewayError::StoreDown)?;
        if !lines.is_empty() {
            return Ok(lines);
        }
    }
    Ok(Vec::new())
}

fn no_receipt(id: &str) -> ErrorReport {
    let message = format!(
        "there is no receipt of {id:?}: requests that were refused before a provider was asked leave none"
    );
    ErrorReport { code: "request_not_found", message, ..no_route("GET", "/v1/requests", false) }
}
