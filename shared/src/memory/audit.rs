//! The audit log in memory.

use async_trait::async_trait;

use super::MemoryStore;
use crate::domain::audit::{AuditEntry, AuditId, Outcome, Recorded};
use crate::ports::{AuditLog, AuditPage, AuditQuery, StoreError};

#[async_trait]
impl AuditLog for MemoryStore {
    async fn append(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut state = self.state();
        let fresh = || Recorded { entry: entry.clone(), outcome: None };
        match state.audit.entry(entry.id).or_insert_with(fresh).entry == *entry {
            true => Ok(()),
            false => Err(StoreError::Rejected(format!("the entry {} exists", entry.id))),
        }
    }

    async fn conclude(&self, id: AuditId, outcome: Outcome) -> Result<(), StoreError> {
        if let Some(recorded) = self.state().audit.get_mut(&id) {
            recorded.outcome.get_or_insert(outcome);
        }
        Ok(())
    }

    async fn page(&self, asked: &AuditQuery) -> Result<AuditPage, StoreError> {
        let state = self.state();
        let first = AuditId::first_at(asked.since);
        let within = state.audit.range(first.min(asked.before)..asked.before).rev();
        let mut fitting = within.filter(|(_, recorded)| {
            asked.subject.as_ref().is_none_or(|subject| *subject == recorded.entry.subject)
        });
        let entries: Vec<Recorded> = fitting.by_ref().take(asked.most).map(|(_, one)| one.clone()).collect();
        let next = fitting.next().and(entries.last()).map(|last| last.entry.id);
        Ok(AuditPage { entries, next })
    }
}
