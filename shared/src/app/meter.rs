//! What a key has used, summed straight from its ledger lines.

use std::collections::BTreeSet;

use serde::Serialize;

use super::error::GatewayError;
use crate::domain::id::AttemptId;
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;
use crate::ports::{ReadLedger, StoreError};

/// The answer of `GET /v1/usage`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UsageReport {
    pub total: Totals,
    /// Empty until rollups exist.
    pub groups: Vec<Totals>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Requests, however many attempts each of them took.
    pub requests: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost_usd: NanoUsd,
}

/// Sums the lines of `key_id` written at or after `since`. Estimated lines count at their amount.
///
/// # Errors
/// [`GatewayError::StoreDown`], also when the sum does not fit 64 bits.
pub async fn usage_of_key(
    ledger: &dyn ReadLedger,
    key_id: &str,
    since: Timestamp,
) -> Result<UsageReport, GatewayError> {
    let lines = ledger.of_key(key_id, since).await.map_err(GatewayError::StoreDown)?;
    let mut requests: BTreeSet<AttemptId> = BTreeSet::new();
    let mut total = Totals::default();
    for line in &lines {
        requests.insert(line.request);
        total.input_tokens = total.input_tokens.saturating_add(line.usage.input());
        total.output_tokens = total.output_tokens.saturating_add(line.usage.output);
        let sum = total.cost_usd.checked_add(line.amount);
        total.cost_usd =
            sum.map_err(|error| GatewayError::StoreDown(StoreError::Rejected(error.to_string())))?;
    }
    total.requests = requests.len() as u64;
    Ok(UsageReport { total, groups: Vec::new() })
}
