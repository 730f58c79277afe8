//! An admin lets a key go that the anomaly throttle has slowed or stopped.

use std::time::Duration;

use super::administer::{Admin, KeyView, of_key, view};
use super::budgets::apply;
use super::error::GatewayError;
use crate::domain::audit::{Action, Outcome, Who};
use crate::domain::key::KeyRecord;
use crate::domain::policy::{Policy, ScopeName, Throttle};
use crate::ports::StoreError;

/// How often a key is read and set anew where somebody else set it in between.
const TRIES: usize = 4;

impl Admin {
    /// Ends what the gateway did to a key by itself, and spares the key for [`Throttle::SPARED`]. A state
    /// that an admin set stays. A key that is not throttled is spared as well.
    ///
    /// # Errors
    /// [`GatewayError::NotFound`], or [`GatewayError::StoreDown`]; releasing it again finishes what was
    /// begun.
    pub async fn release(&self, who: &Who, id: &str) -> Result<KeyView, GatewayError> {
        for _ in 0..TRIES {
            let record = self.record(id).await?;
            let now = self.clock.now();
            let before = record.policy.clone();
            let next = Policy {
                throttle: Some(Throttle::spared(now)),
                version: now.max(before.version + Duration::from_millis(1)),
                ..before.clone()
            };
            let (old, new) = (view(&record), view(&KeyRecord { policy: next.clone(), ..record }));
            let permit =
                self.registry.begin(who, now, of_key(Action::ReleaseKey, id, Some(&old), &new)).await?;
            let set = permit.keys().set_policy(id, &next, before.version).await;
            if set.map_err(GatewayError::StoreDown)? {
                let applied = apply(permit.counters(), &ScopeName::key(id), (&before, &next), now).await;
                applied.map_err(GatewayError::StoreDown)?;
                permit.conclude(Outcome::Done).await;
                return Ok(new);
            }
            permit.conclude(Outcome::NotDone).await;
        }
        Err(GatewayError::StoreDown(StoreError::Rejected("the policy kept changing".to_owned())))
    }
}
