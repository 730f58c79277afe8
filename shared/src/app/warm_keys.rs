//! A warm copy of keys, at most a minute old: a revocation reaches every instance within that.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::warm::Copies;
use crate::domain::key::{KeyDetails, KeyRecord};
use crate::domain::policy::Policy;
use crate::domain::time::Timestamp;
use crate::ports::{Clock, FindKey, ListKeys, ManageKeys, StoreError};

/// The oldest copy that may still be used.
const FRESH: Duration = Duration::from_secs(60);

/// Remembers keys that were found. What was not found is asked for again each time, so a new key
/// works at once.
pub struct WarmKeys<S> {
    store: S,
    copies: Copies<String, KeyRecord>,
}

impl<S> WarmKeys<S> {
    pub fn new(store: S, clock: Arc<dyn Clock>) -> Self {
        WarmKeys { store, copies: Copies::new(clock, FRESH) }
    }
}

#[async_trait]
impl<S: FindKey> FindKey for WarmKeys<S> {
    async fn find(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        if let Some(record) = self.copies.get(&id.to_owned()) {
            return Ok(Some(record));
        }
        self.find_afresh(id).await
    }

    async fn find_afresh(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        let record = self.store.find(id).await?;
        if let Some(record) = &record {
            self.copies.remember(record.id.clone(), record.clone());
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

    async fn set_policy(&self, id: &str, policy: &Policy, before: Timestamp) -> Result<bool, StoreError> {
        let set = self.store.set_policy(id, policy, before).await;
        self.copies.forget(&id.to_owned());
        set
    }

    async fn set_details(
        &self,
        id: &str,
        details: &KeyDetails,
        before: &KeyDetails,
    ) -> Result<bool, StoreError> {
        let set = self.store.set_details(id, details, before).await;
        self.copies.forget(&id.to_owned());
        set
    }

    async fn revoke(&self, id: &str, at: Timestamp) -> Result<bool, StoreError> {
        let revoked = self.store.revoke(id, at).await;
        self.copies.forget(&id.to_owned());
        revoked
    }
}
