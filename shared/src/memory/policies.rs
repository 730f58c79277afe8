//! Policies in memory.

use async_trait::async_trait;

use super::MemoryStore;
use crate::domain::policy::{ScopeName, ScopePolicy};
use crate::domain::time::Timestamp;
use crate::ports::{FindPolicy, ManagePolicies, StoreError};

#[async_trait]
impl FindPolicy for MemoryStore {
    async fn find_policy(&self, scope: &ScopeName) -> Result<Option<ScopePolicy>, StoreError> {
        Ok(self.state().policies.get(scope).cloned())
    }
}

#[async_trait]
impl ManagePolicies for MemoryStore {
    async fn put_policy(
        &self,
        scope: &ScopeName,
        policy: &ScopePolicy,
        before: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let mut state = self.state();
        let standing = state.policies.get(scope);
        if standing.map(|standing| standing.own.version) != before {
            return Ok(standing == Some(policy));
        }
        state.policies.insert(scope.clone(), policy.clone());
        Ok(true)
    }

    async fn list_policies(&self) -> Result<Vec<(ScopeName, ScopePolicy)>, StoreError> {
        let state = self.state();
        Ok(state.policies.iter().map(|(scope, policy)| (scope.clone(), policy.clone())).collect())
    }
}
