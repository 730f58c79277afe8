//! What is done about a key that was judged: told, slowed, stopped, let go.

use std::time::Duration;

use super::{Watch, may_be_throttled};
use crate::app::budgets::apply;
use crate::config::AnomalyMode;
use crate::domain::alert::{About, Alert, AlertId, AnomalyEvidence, Severity, ThrottleAction};
use crate::domain::anomaly::{Seen, Step, Usual, evidence, judge};
use crate::domain::key::KeyRecord;
use crate::domain::policy::{Policy, ScopeName};
use crate::domain::time::Timestamp;
use crate::ports::StoreError;

/// How often a policy is read and set anew where somebody else set it in between.
const TRIES: usize = 4;

impl Watch {
    /// Does what the mode allows of `step`. Told first, under an id that follows from the policy that is
    /// replaced: whoever dies in between tells it once, and does it when the key is judged again.
    pub(super) async fn act(
        &self,
        record: &KeyRecord,
        step: Step,
        (usual, seen): (&Usual, &Seen),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let evidence = evidence(&self.settings, usual, seen);
        if self.mode == AnomalyMode::Observe && step != Step::Release {
            return self.observe(record, evidence, now).await;
        }
        for _ in 0..TRIES {
            let standing = self.manage_keys.find(&record.id).await?.filter(may_be_throttled);
            let Some(standing) = standing else { return Ok(()) };
            let before = &standing.policy;
            let Some(step) = judge(&self.settings, usual, seen, before.throttle.as_ref(), now) else {
                return Ok(());
            };
            let (action, throttle) = match step {
                Step::Slow(throttle) => (ThrottleAction::Slowed, Some(throttle)),
                Step::Stop(throttle) => (ThrottleAction::Stopped, Some(throttle)),
                Step::Release => (ThrottleAction::Released, None),
            };
            let version = now.max(before.version + Duration::from_millis(1));
            let next = Policy { throttle, version, ..before.clone() };
            let mark = before.version.millis().to_string();
            self.tell(&standing, action, evidence, &mark, now).await?;
            if self.manage_keys.set_policy(&record.id, &next, before.version).await? {
                let name = ScopeName::key(&record.id);
                return apply(self.counters.as_ref(), &name, (before, &next), now).await;
            }
        }
        Err(StoreError::Rejected("the policy kept changing".to_owned()))
    }

    /// Tells an anomaly that nothing is done about, once in the time that it would be acted upon.
    async fn observe(
        &self,
        record: &KeyRecord,
        evidence: AnomalyEvidence,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let span = i64::try_from(self.settings.cool_down.as_millis()).unwrap_or(i64::MAX).max(1);
        let period = now.millis().div_euclid(span);
        if self.known.lock().told.get(&record.id) == Some(&period) {
            return Ok(());
        }
        self.tell(record, ThrottleAction::Observed, evidence, &period.to_string(), now).await?;
        self.known.lock().told.insert(record.id.clone(), period);
        Ok(())
    }

    async fn tell(
        &self,
        record: &KeyRecord,
        action: ThrottleAction,
        evidence: AnomalyEvidence,
        mark: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (word, severity) = match action {
            ThrottleAction::Observed => ("observed", Severity::Warning),
            ThrottleAction::Slowed => ("slowed", Severity::Warning),
            ThrottleAction::Stopped => ("stopped", Severity::Critical),
            ThrottleAction::Released => ("released", Severity::Info),
        };
        let key = record.id.clone();
        let alert = Alert {
            id: AlertId::of(&["anomaly", &key, word, mark]),
            at: now,
            severity,
            tenant: Some(record.tenant.clone()),
            about: About::Anomaly { key, action, evidence },
        };
        let is_new = match &self.alerts {
            Some(alerts) => alerts.raise(&alert).await?,
            None => true,
        };
        if is_new {
            tracing::warn!(key = record.id, action = word, ?evidence, "a key spends unlike itself");
        }
        Ok(())
    }
}
