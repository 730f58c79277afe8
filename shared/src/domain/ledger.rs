//! The ledger: one immutable line for every attempt that was ever held for.

use serde::{Deserialize, Serialize};

use super::counter::Part;
use super::id::AttemptId;
use super::money::NanoUsd;
use super::partition::Partition;
use super::time::Timestamp;
use super::usage::TokenUsage;

/// The version of the line's and the settle command's form. Readers accept every older one; in
/// version 1 the counters to close had no parts.
pub const LINE_VERSION: u32 = 2;

/// One line. It is also the settle command that travels over the queue: whoever holds it can
/// finish the settlement, any number of times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerLine {
    pub version: u32,
    pub id: AttemptId,
    /// Shared by all attempts of one request.
    pub request: AttemptId,
    pub tenant: String,
    pub key_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// `provider/model` that served, or was tried.
    pub model: String,
    /// The version of the price that the amount was computed with.
    pub price: String,
    pub quality: Quality,
    pub amount: NanoUsd,
    /// What was held; zero for a cache hit.
    pub reserved: NanoUsd,
    pub usage: TokenUsage,
    pub outcome: Outcome,
    /// The counters to close.
    pub items: Vec<Part>,
    pub at: Timestamp,
}

/// Whether the amount is known or an upper bound that may still be corrected downwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quality {
    Exact,
    Estimated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The provider answered in full.
    Completed,
    /// Cut off by the gateway, because the answer had cost what was held for it.
    Stopped,
    /// Answered from the cache, at no cost.
    CacheHit,
    /// The provider failed and bills nothing.
    FailedUnbilled,
    /// The provider failed after it may have begun to bill.
    FailedBilled,
    /// Never dispatched.
    Abandoned,
}

impl LedgerLine {
    pub fn partition(&self) -> Partition {
        Partition::of(&self.tenant, self.request)
    }
}
