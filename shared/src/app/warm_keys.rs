//! A warm copy of keys, at most a minute old: a revocation reaches every instance within that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::key::KeyRecord;
use crate::domain::time::Timestamp;
use crate::ports::{Clock, FindKey, ListKeys, ManageKeys, StoreError};

/// The oldest copy that may still be used.
const FRESH: Duration = Duration::from_secs(60);
/// Keys one instance remembers; the whole copy is dropped beyond that.
const KEYS_MAX: usize = 10_000;

/// Remembers keys that were found. What was not found is asked for again each time, so a new key
/// works at once.
pub struct WarmKeys<S> {
    store: S,
    clock: Arc<dyn Clock>,
    copies: Mutex<HashMap<String, (KeyRecord, Timestamp)>>,
}

impl<S> WarmKeys<S> {
    pub fn new(store: S, clock: Arc<dyn Clock>) -> Self {
        WarmKeys { store, clock, copies: Mutex::default() }
    }

    fn copy(&self, id: &str) -> Option<KeyRecord> {
        let copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        let (record, read_at) = copies.get(id)?;
        (self.clock.now().since(*read_at) < FRESH).then(|| record.clone())
    }

    fn remember(&self, record: &KeyRecord) {
        let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        if copies.len() >= KEYS_MAX {
            copies.clear();
        }
        copies.insert(record.id.clone(), (record.clone(), self.clock.now()));
    }

    fn forget(&self, id: &str) {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

#[async_trait]
impl<S: FindKey> FindKey for WarmKeys<S> {
    async fn find(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        if let Some(record) = self.copy(id) {
            return Ok(Some(record));
        }
        let record = self.store.find(id).await?;
        if let Some(record) = &record {
            self.remember(record);
        }
        Ok(record)
    }
}

#[async_trait]
impl<S: ListKeys> ListKeys for WarmKeys<S> {
    async fn list(&self) -> Result<Vec<KeyRecord>, StoreError> {
        self.store.list().await
    }
}

/// Changes go through, so that one process sees its own at once.
#[async_trait]
impl<S: ManageKeys> ManageKeys for WarmKeys<S> {
    async fn create(&self, record: &KeyRecord) -> Result<(), StoreError> {
        self.store.create(record).await
    }

    async fn revoke(&self, id: &str, at: Timestamp) -> Result<bool, StoreError> {
        let revoked = self.store.revoke(id, at).await;
        self.forget(id);
        revoked
    }
}
