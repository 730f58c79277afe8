//! What is kept of an admin's changes.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::audit::{AuditEntry, AuditId, Outcome, Recorded};
use crate::domain::time::Timestamp;

/// The log of changes. It only grows: no entry is changed or removed.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Appends an entry. Sending it again is safe: an entry recognises itself.
    async fn append(&self, entry: &AuditEntry) -> Result<(), StoreError>;
    /// Notes what came of an entry. The first note stays.
    async fn conclude(&self, id: AuditId, outcome: Outcome) -> Result<(), StoreError>;
    /// Some entries, newest first.
    async fn page(&self, asked: &AuditQuery) -> Result<AuditPage, StoreError>;
}

/// Which entries are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditQuery {
    pub since: Timestamp,
    /// Only entries before this one.
    pub before: AuditId,
    /// Only entries about this subject.
    pub subject: Option<String>,
    /// How many at most.
    pub most: usize,
}

/// Entries, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
    pub entries: Vec<Recorded>,
    /// What to ask `before` for the rest; none where there is no more. A page may be shorter than
    /// was asked and still have a rest.
    pub next: Option<AuditId>,
}
