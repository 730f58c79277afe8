//! What a counter is called.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::money::NanoUsd;
use crate::domain::time::{Period, Timestamp};

/// Shards that a scope may be spread over.
pub const SHARDS_MAX: u8 = 64;

/// Whose spending a counter bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeKind {
    Key,
    User,
    Team,
    Tenant,
    Session,
    /// A browser-safe token.
    Token,
}

impl ScopeKind {
    pub const ALL: [ScopeKind; 6] = [
        ScopeKind::Key,
        ScopeKind::User,
        ScopeKind::Team,
        ScopeKind::Tenant,
        ScopeKind::Session,
        ScopeKind::Token,
    ];

    /// The kind whose [`fmt::Display`] form `word` is.
    pub fn named(word: &str) -> Option<Self> {
        ScopeKind::ALL.into_iter().find(|kind| kind.to_string() == word)
    }
}

/// Names one counter item: a scope in one period. A hold stores these keys, and every later step
/// uses the stored ones, so a period that ends mid-request changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CounterKey {
    pub kind: ScopeKind,
    pub id: String,
    /// [`Period::label`] of the period the reservation was made in.
    pub period: String,
    /// Which of at most [`SHARDS_MAX`] counters, where the scope is spread over several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<u8>,
}

impl CounterKey {
    /// The one counter of a scope that is not sharded.
    pub fn new(kind: ScopeKind, id: &str, period: Period, now: Timestamp) -> Self {
        CounterKey { kind, id: id.to_owned(), period: period.label(now), shard: None }
    }

    /// Whether both count the same scope in the same period, each perhaps a shard of it.
    pub fn shares_scope(&self, other: &CounterKey) -> bool {
        (self.kind, &self.id, &self.period) == (other.kind, &other.id, &other.period)
    }
}

/// One counter of a hold, and what is held in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    #[serde(flatten)]
    pub counter: CounterKey,
    /// Fixed before the first write: the whole amount of the hold, or a shard's share of it. Lines
    /// of version 1 have none, and need none: each of their scopes has one counter.
    #[serde(default)]
    pub amount: NanoUsd,
}

impl fmt::Display for ScopeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ScopeKind::Key => "key",
            ScopeKind::User => "user",
            ScopeKind::Team => "team",
            ScopeKind::Tenant => "tenant",
            ScopeKind::Session => "session",
            ScopeKind::Token => "token",
        })
    }
}
