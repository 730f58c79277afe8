//! What an admin writes through: the ports of the wire, and a note of what was sent.

use std::sync::Mutex;

use async_trait::async_trait;
use shared::domain::key::{KeyDetails, KeyRecord};
use shared::domain::policy::{Policy, ScopeName, ScopePolicy};
use shared::domain::time::Timestamp;
use shared::ports::{Clock, FindKey, FindPolicy, ListKeys, ManageKeys, ManagePolicies, StoreError};

use super::wire::{Kind, Wire};
use super::world::lock;

pub(crate) struct Desk {
    wire: Wire,
    sent: Mutex<Timestamp>,
}

impl Desk {
    pub(crate) fn new(wire: Wire) -> Self {
        Desk { wire, sent: Mutex::default() }
    }

    /// The version of the policy that was sent last.
    pub(crate) fn sent(&self) -> Timestamp {
        *lock(&self.sent)
    }

    /// By the admin's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.wire.world.clock.skewed(self.wire.process.skew).now()
    }

    fn send(&self, name: &ScopeName, policy: &ScopePolicy) {
        *lock(&self.sent) = policy.own.version;
        self.wire.world.meant.send(name, policy);
    }
}

#[async_trait]
impl FindKey for Desk {
    async fn find(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        self.wire.find(id).await
    }
}

#[async_trait]
impl FindPolicy for Desk {
    async fn find_policy(&self, scope: &ScopeName) -> Result<Option<ScopePolicy>, StoreError> {
        self.wire.find_policy(scope).await
    }
}

#[async_trait]
impl ListKeys for Desk {
    async fn list(&self) -> Result<Vec<KeyRecord>, StoreError> {
        self.wire.world.stores.memory.list().await
    }
}

#[async_trait]
impl ManageKeys for Desk {
    async fn create(&self, record: &KeyRecord) -> Result<(), StoreError> {
        ManageKeys::create(self.wire.world.stores.memory.as_ref(), record).await
    }

    async fn set_policy(&self, id: &str, policy: &Policy, before: Timestamp) -> Result<bool, StoreError> {
        self.send(&ScopeName::key(id), &ScopePolicy { own: policy.clone(), ..ScopePolicy::default() });
        let change = (id.to_owned(), policy.clone(), before);
        self.wire
            .call("set policy", Kind::Again, change, |world, (id, policy, before)| {
                Box::pin(async move { world.stores.memory.set_policy(&id, &policy, before).await })
            })
            .await
    }

    async fn set_details(
        &self,
        id: &str,
        details: &KeyDetails,
        before: &KeyDetails,
    ) -> Result<bool, StoreError> {
        self.wire.world.stores.memory.set_details(id, details, before).await
    }

    async fn revoke(&self, id: &str, at: Timestamp) -> Result<bool, StoreError> {
        self.wire.world.stores.memory.revoke(id, at).await
    }
}

#[async_trait]
impl ManagePolicies for Desk {
    async fn put_policy(
        &self,
        scope: &ScopeName,
        policy: &ScopePolicy,
        before: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        self.send(scope, policy);
        let change = (scope.clone(), policy.clone(), before);
        self.wire
            .call("put policy", Kind::Again, change, |world, (scope, policy, before)| {
                Box::pin(async move { world.stores.memory.put_policy(&scope, &policy, before).await })
            })
            .await
    }

    async fn list_policies(&self) -> Result<Vec<(ScopeName, ScopePolicy)>, StoreError> {
        self.wire.world.stores.memory.list_policies().await
    }
}
