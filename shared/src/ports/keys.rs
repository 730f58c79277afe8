//! Who may call, and what holds for them.

use std::sync::Arc;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::key::{KeyDetails, KeyRecord};
use crate::domain::policy::{Policy, ScopeName, ScopePolicy};
use crate::domain::time::Timestamp;

/// Looks keys up.
#[async_trait]
pub trait FindKey: Send + Sync {
    async fn find(&self, id: &str) -> Result<Option<KeyRecord>, StoreError>;
    /// As the store has it now, whatever copy is remembered.
    async fn find_afresh(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        self.find(id).await
    }
}

/// Lists keys, the revoked ones too.
#[async_trait]
pub trait ListKeys: Send + Sync {
    async fn list(&self) -> Result<Vec<KeyRecord>, StoreError>;
}

/// Makes, lists and revokes keys.
#[async_trait]
pub trait ManageKeys: FindKey + ListKeys {
    async fn create(&self, record: &KeyRecord) -> Result<(), StoreError>;
    /// Replaces the policy of version `before`. False when another stands there, or there is no such
    /// key. Sending it again is safe: a policy recognises itself.
    async fn set_policy(&self, id: &str, policy: &Policy, before: Timestamp) -> Result<bool, StoreError>;
    /// Replaces the details `before`. False when others stand there, or there is no such key.
    /// Sending it again is safe.
    async fn set_details(
        &self,
        id: &str,
        details: &KeyDetails,
        before: &KeyDetails,
    ) -> Result<bool, StoreError>;
    /// False when there is no such key. Revoking twice keeps the first time.
    async fn revoke(&self, id: &str, at: Timestamp) -> Result<bool, StoreError>;
}

#[async_trait]
impl<T: FindKey + ?Sized> FindKey for Arc<T> {
    async fn find(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        self.as_ref().find(id).await
    }

    async fn find_afresh(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        self.as_ref().find_afresh(id).await
    }
}

#[async_trait]
impl<T: ListKeys + ?Sized> ListKeys for Arc<T> {
    async fn list(&self) -> Result<Vec<KeyRecord>, StoreError> {
        self.as_ref().list().await
    }
}

#[async_trait]
impl<T: ManageKeys + ?Sized> ManageKeys for Arc<T> {
    async fn create(&self, record: &KeyRecord) -> Result<(), StoreError> {
        self.as_ref().create(record).await
    }

    async fn set_policy(&self, id: &str, policy: &Policy, before: Timestamp) -> Result<bool, StoreError> {
        self.as_ref().set_policy(id, policy, before).await
    }

    async fn set_details(
        &self,
        id: &str,
        details: &KeyDetails,
        before: &KeyDetails,
    ) -> Result<bool, StoreError> {
        self.as_ref().set_details(id, details, before).await
    }

    async fn revoke(&self, id: &str, at: Timestamp) -> Result<bool, StoreError> {
        self.as_ref().revoke(id, at).await
    }
}

/// Looks policies of scopes up.
#[async_trait]
pub trait FindPolicy: Send + Sync {
    /// None where nobody set one. That of a key is in its record.
    async fn find_policy(&self, scope: &ScopeName) -> Result<Option<ScopePolicy>, StoreError>;
    /// As the store has it now, whatever copy is remembered.
    async fn find_policy_afresh(&self, scope: &ScopeName) -> Result<Option<ScopePolicy>, StoreError> {
        self.find_policy(scope).await
    }
}

/// Sets and lists policies.
#[async_trait]
pub trait ManagePolicies: FindPolicy {
    /// Replaces the scope's policy of version `before`; none where there must be none. False when
    /// another stands there. Sending it again is safe: a policy recognises itself.
    async fn put_policy(
        &self,
        scope: &ScopeName,
        policy: &ScopePolicy,
        before: Option<Timestamp>,
    ) -> Result<bool, StoreError>;
    async fn list_policies(&self) -> Result<Vec<(ScopeName, ScopePolicy)>, StoreError>;
}
