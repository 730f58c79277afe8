//! Keys in memory.

use async_trait::async_trait;

use super::MemoryStore;
use crate::domain::key::{KeyDetails, KeyRecord};
use crate::domain::policy::Policy;
use crate::domain::time::Timestamp;
use crate::ports::{FindKey, ListKeys, ManageKeys, StoreError};

#[async_trait]
impl FindKey for MemoryStore {
    async fn find(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.state().keys.get(id).cloned())
    }
}

#[async_trait]
impl ListKeys for MemoryStore {
    async fn list(&self) -> Result<Vec<KeyRecord>, StoreError> {
        Ok(self.state().keys.values().cloned().collect())
    }
}

#[async_trait]
impl ManageKeys for MemoryStore {
    async fn create(&self, record: &KeyRecord) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.keys.contains_key(&record.id) {
            return Err(StoreError::Rejected(format!("key {} exists", record.id)));
        }
        state.keys.insert(record.id.clone(), record.clone());
        Ok(())
    }

    async fn set_policy(&self, id: &str, policy: &Policy, before: Timestamp) -> Result<bool, StoreError> {
        let mut state = self.state();
        let Some(record) = state.keys.get_mut(id) else { return Ok(false) };
        if record.policy.version == before {
            record.policy = policy.clone();
        }
        Ok(record.policy == *policy)
    }

    async fn set_details(
        &self,
        id: &str,
        details: &KeyDetails,
        before: &KeyDetails,
    ) -> Result<bool, StoreError> {
        let mut state = self.state();
        let Some(record) = state.keys.get_mut(id) else { return Ok(false) };
        if record.details() == *before {
            *record = record.clone().with(details.clone());
        }
        Ok(record.details() == *details)
    }

    async fn revoke(&self, id: &str, at: Timestamp) -> Result<bool, StoreError> {
        match self.state().keys.get_mut(id) {
            None => Ok(false),
            Some(record) => {
                record.revoked_at.get_or_insert(at);
                Ok(true)
            }
        }
    }
}
