//! The one way by which an admin changes anything: the audit entry first, then the change, then what
//! came of it. What is written through is handed out with an entry only, so nothing is changed that the
//! log does not know, and a change whose entry cannot be written is refused.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

use super::error::GatewayError;
use super::random::OsRandomness;
use crate::domain::audit::{Action, AuditEntry, AuditId, Outcome, Who};
use crate::domain::counter::{Counter, CounterKey, ScopeKind};
use crate::domain::policy::{ScopeName, ScopePolicy};
use crate::domain::time::Timestamp;
use crate::ports::{
    AuditLog, Counters, FindKey, FindPolicy, ListKeys, ManageKeys, ManagePolicies, Outbox, Randomness,
    ReadAlerts, StoreError,
};

/// What admins read, and change under an entry of the log.
pub struct Registry {
    keys: Arc<dyn ManageKeys>,
    policies: Arc<dyn ManagePolicies>,
    counters: Arc<dyn Counters>,
    alerts: Arc<dyn Outbox>,
    log: Arc<dyn AuditLog>,
    /// The last id that was given out here.
    last: Mutex<AuditId>,
}

impl Registry {
    pub fn new(
        keys: Arc<dyn ManageKeys>,
        policies: Arc<dyn ManagePolicies>,
        counters: Arc<dyn Counters>,
        alerts: Arc<dyn Outbox>,
        log: Arc<dyn AuditLog>,
    ) -> Self {
        let last = Mutex::new(AuditId::first_at(Timestamp::default()));
        Registry { keys, policies, counters, alerts, log, last }
    }

    pub(super) fn find_key(&self) -> &dyn FindKey {
        self.keys.as_ref()
    }

    pub(super) fn list_keys(&self) -> &dyn ListKeys {
        self.keys.as_ref()
    }

    pub(super) fn find_policy(&self) -> &dyn FindPolicy {
        self.policies.as_ref()
    }

    pub(super) fn alerts(&self) -> &dyn ReadAlerts {
        self.alerts.as_ref()
    }

    pub(super) fn log(&self) -> &dyn AuditLog {
        self.log.as_ref()
    }

    pub(super) async fn policies(&self) -> Result<Vec<(ScopeName, ScopePolicy)>, StoreError> {
        self.policies.list_policies().await
    }

    pub(super) async fn counter(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError> {
        self.counters.read(key).await
    }

    /// In the order of the changes, also within a millisecond.
    fn fresh_id(&self, now: Timestamp) -> AuditId {
        let mut random = [0_u8; 16];
        OsRandomness.fill(&mut random);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = AuditId::new(now, u128::from_le_bytes(random)).max(last.following());
        *last
    }

    /// Enters a change into the log. Only then may it be made.
    ///
    /// # Errors
    /// [`GatewayError::StoreDown`]: the change must not be made.
    pub(super) async fn begin(
        &self,
        who: &Who,
        now: Timestamp,
        change: Change,
    ) -> Result<Permit<'_>, GatewayError> {
        let id = self.fresh_id(now);
        let Change { action, subject, before, after } = change;
        let entry = AuditEntry { id, who: who.clone(), action, subject, before, after };
        self.log.append(&entry).await.map_err(GatewayError::StoreDown)?;
        Ok(Permit { registry: self, id })
    }
}

/// What is to be changed, as the log shows it.
#[derive(Clone, Debug)]
pub(super) struct Change {
    action: Action,
    subject: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl Change {
    /// Views of what stands there and of what shall, neither with a secret.
    pub(super) fn new(
        action: Action,
        subject: String,
        before: Option<&impl Serialize>,
        after: Option<&impl Serialize>,
    ) -> Self {
        Change { action, subject, before: before.and_then(document), after: after.and_then(document) }
    }
}

fn document(view: &impl Serialize) -> Option<Value> {
    serde_json::to_value(view).ok()
}

/// How the log names a scope: `key/abc`, `team/acme/search`.
pub(super) fn subject(name: &ScopeName) -> String {
    match (&name.kind, &name.owner) {
        (ScopeKind::Team | ScopeKind::User, Some(owner)) => format!("{}/{owner}/{}", name.kind, name.id),
        _ => format!("{}/{}", name.kind, name.id),
    }
}

/// Leave to make one change, which is in the log. Where nobody concludes it, because the store failed on
/// the way or the process died, the log says that its end is unknown.
#[must_use = "a change that is made is concluded"]
pub(super) struct Permit<'a> {
    registry: &'a Registry,
    id: AuditId,
}

impl Permit<'_> {
    pub(super) fn keys(&self) -> &dyn ManageKeys {
        self.registry.keys.as_ref()
    }

    pub(super) fn policies(&self) -> &dyn ManagePolicies {
        self.registry.policies.as_ref()
    }

    pub(super) fn counters(&self) -> &dyn Counters {
        self.registry.counters.as_ref()
    }

    pub(super) fn alerts(&self) -> &dyn Outbox {
        self.registry.alerts.as_ref()
    }

    /// Notes what came of it. The change stands whether this can be noted or not, and so does its entry.
    pub(super) async fn conclude(self, outcome: Outcome) {
        if let Err(error) = self.registry.log.conclude(self.id, outcome).await {
            tracing::error!(%error, entry = %self.id, "it is not noted what came of a change");
        }
    }
}
