//! The outbox in memory.

use async_trait::async_trait;

use super::MemoryStore;
use crate::domain::alert::{Alert, AlertId, Entry};
use crate::domain::time::Timestamp;
use crate::ports::{AlertPage, AlertQuery, Outbox, RaiseAlert, ReadAlerts, StoreError};

#[async_trait]
impl RaiseAlert for MemoryStore {
    async fn raise(&self, alert: &Alert) -> Result<bool, StoreError> {
        let mut state = self.state();
        let is_new = !state.alerts.contains_key(&alert.id);
        state.alerts.entry(alert.id.clone()).or_insert_with(|| Entry::new(alert.clone()));
        Ok(is_new)
    }
}

#[async_trait]
impl ReadAlerts for MemoryStore {
    async fn latest(&self, asked: &AlertQuery) -> Result<AlertPage, StoreError> {
        let mut entries = self.entries(asked.since);
        entries.reverse();
        entries.retain(|entry| asked.before.as_ref().is_none_or(|before| entry.alert.place() < *before));
        let is_cut = entries.len() > asked.most;
        entries.truncate(asked.most);
        let next = entries.last().filter(|_| is_cut).map(|entry| entry.alert.place());
        Ok(AlertPage { entries, next })
    }

    async fn find_alert(&self, id: &AlertId) -> Result<Option<Entry>, StoreError> {
        Ok(self.state().alerts.get(id).cloned())
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn open_alerts(&self, since: Timestamp) -> Result<Vec<Entry>, StoreError> {
        Ok(self.entries(since).into_iter().filter(|entry| !entry.done).collect())
    }

    async fn swap_alert(&self, entry: &Entry) -> Result<bool, StoreError> {
        let mut state = self.state();
        let standing =
            state.alerts.get_mut(&entry.alert.id).filter(|standing| standing.version == entry.version);
        let is_swapped = standing.is_some();
        if let Some(standing) = standing {
            *standing = Entry { version: entry.version.saturating_add(1), ..entry.clone() };
        }
        Ok(is_swapped)
    }
}

impl MemoryStore {
    /// Those first seen at or after `since`, oldest first.
    fn entries(&self, since: Timestamp) -> Vec<Entry> {
        let state = self.state();
        let mut entries: Vec<Entry> =
            state.alerts.values().filter(|entry| entry.alert.at >= since).cloned().collect();
        entries.sort_by_key(|entry| entry.alert.place());
        entries
    }
}
