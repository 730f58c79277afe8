//! A warm copy of policies, at most ten seconds old. A change does not wait for that: it is written
//! to the counters as well, and a counter that knows a later policy makes every instance follow it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::warm::Copies;
use crate::domain::policy::{ScopeName, ScopePolicy};
use crate::domain::time::Timestamp;
use crate::ports::{Clock, FindPolicy, ManagePolicies, StoreError};

/// The oldest copy that may still be used.
const FRESH: Duration = Duration::from_secs(10);

/// Remembers what was found and that nothing was: most users have no policy of their own.
pub struct WarmPolicies<S> {
    store: S,
    copies: Copies<ScopeName, Option<ScopePolicy>>,
}

impl<S> WarmPolicies<S> {
    pub fn new(store: S, clock: Arc<dyn Clock>) -> Self {
        WarmPolicies { store, copies: Copies::new(clock, FRESH) }
    }
}

#[async_trait]
impl<S: FindPolicy> FindPolicy for WarmPolicies<S> {
    async fn find_policy(&self, scope: &ScopeName) -> Result<Option<ScopePolicy>, StoreError> {
        if let Some(policy) = self.copies.get(scope) {
            return Ok(policy);
        }
        self.find_policy_afresh(scope).await
    }

    async fn find_policy_afresh(&self, scope: &ScopeName) -> Result<Option<ScopePolicy>, StoreError> {
        let policy = self.store.find_policy(scope).await?;
        self.copies.remember(scope.clone(), policy.clone());
        Ok(policy)
    }
}

/// Changes go through, so that one process sees its own at once.
#[async_trait]
impl<S: ManagePolicies> ManagePolicies for WarmPolicies<S> {
    async fn put_policy(
        &self,
        scope: &ScopeName,
        policy: &ScopePolicy,
        before: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let put = self.store.put_policy(scope, policy, before).await;
        self.copies.forget(scope);
        put
    }

    async fn list_policies(&self) -> Result<Vec<(ScopeName, ScopePolicy)>, StoreError> {
        self.store.list_policies().await
    }
}
