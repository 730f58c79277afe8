//! Policies in memory.

use async_trait::async_trait;

use super::MemoryStore;
use crate::domain::policy::{ScopeName, ScopePolicy};
use crate::ports::{FindPolicy, ManagePolicies, StoreError};

#[async_trait]
impl FindPolicy for MemoryStore {
    async fn find_policy(&self, scope: &ScopeName) -> Result<Option<ScopePolicy>, StoreError> {
        Ok(self.state().policies.get(scope).cloned())
    }
}

#[async_trait]
impl ManagePolicies for MemoryStore {
    async fn put_policy(&self, scope: &ScopeName, policy: &ScopePolicy) -> Result<(), StoreError> {
        self.state().policies.insert(scope.clone(), policy.clone());
        Ok(())
    }

    async fn list_policies(&self) -> Result<Vec<(ScopeName, ScopePolicy)>, StoreError> {
        let state = self.state();
        Ok(state.policies.iter().map(|(scope, policy)| (scope.clone(), policy.clone())).collect())
    }
}
