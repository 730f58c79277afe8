//! The anomaly throttle: whoever folds a partition of the ledger has the lines of the last minute at hand,
//! and judges the keys that they are of.
//!
//! Nothing here may hold up the folding, so what fails is logged, and the next folding judges again. Two
//! may judge a key at once: both come to the same alert, and only one sets the policy.

mod act;
mod recent;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;

pub use recent::Recent;

use crate::config::{Anomaly, AnomalyMode};
use crate::domain::anomaly::{History, KEPT_HOURS, Part, Seen, Settings, Weeks, judge};
use crate::domain::counter::ScopeState;
use crate::domain::key::KeyRecord;
use crate::domain::money::NanoUsd;
use crate::domain::partition::Partition;
use crate::domain::rollup::Rollup;
use crate::ports::{Clock, Counters, FindKey, KeepSpend, ManageKeys, RaiseAlert, ReadRollups, StoreError};

/// Keys that are judged side by side.
const AT_ONCE: usize = 8;
/// Keys of which it is remembered what their weeks say; those of more are read again.
const KNOWN_MAX: usize = 1_024;
/// Hours that are read again when an hour has closed: their last requests may have been under way.
const UNSURE_HOURS: i64 = 2;

/// What watching keys needs.
pub struct Watch {
    pub mode: AnomalyMode,
    pub settings: Settings,
    pub spend: Arc<dyn KeepSpend>,
    pub rollups: Arc<dyn ReadRollups>,
    /// As fresh as a minute ago is enough to see that nothing is to be done.
    pub keys: Arc<dyn FindKey>,
    pub manage_keys: Arc<dyn ManageKeys>,
    pub counters: Arc<dyn Counters>,
    /// Where the operator is told; none is in the log alone.
    pub alerts: Option<Arc<dyn RaiseAlert>>,
    pub clock: Arc<dyn Clock>,
    pub known: Known,
}

/// What this instance remembers of keys.
#[derive(Debug, Default)]
pub struct Known(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    /// What the weeks say of an hour, none where a key is too young, and of which hour that is.
    weeks: HashMap<String, (i64, Option<Weeks>)>,
    /// The period in which an observation of a key was told last.
    told: HashMap<String, i64>,
}

impl Known {
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Watch");
        shown.field("mode", &self.mode).field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Watch {
    /// Judges the keys that have lines in `recent`, which are all of the last minute in `partition`, of which
    /// `rollups` are the whole hour.
    pub async fn look(&self, partition: &Partition, recent: &Recent, rollups: &[Rollup]) {
        let used: Vec<&Rollup> = rollups.iter().filter(|rollup| recent.has(&rollup.key_id)).collect();
        for some in used.chunks(AT_ONCE) {
            let looked = join_all(some.iter().map(|hour| self.look_at(hour, partition, recent))).await;
            for (hour, looked) in some.iter().zip(looked) {
                if let Err(error) = looked {
                    tracing::warn!(key = hour.key_id, %error, "a key is not judged this time");
                }
            }
        }
    }

    async fn look_at(&self, hour: &Rollup, partition: &Partition, recent: &Recent) -> Result<(), StoreError> {
        let (now, key) = (self.clock.now(), hour.key_id.as_str());
        let Some(weeks) = self.weeks(key, now.hour()).await? else { return Ok(()) };
        let part = Part {
            hour: partition.hour,
            requests: hour.requests,
            cost: hour.exact_cost().nano(),
            buckets: recent.buckets(key, weeks.clip()),
        };
        let seen = Seen::until(now, &self.spend.put_part(key, partition, &part).await?);
        let usual = weeks.usual(&seen, now);
        let found = self.keys.find(key).await?;
        let Some(record) = found.filter(may_be_throttled) else { return Ok(()) };
        match judge(&self.settings, &usual, &seen, record.policy.throttle.as_ref(), now) {
            Some(step) => self.act(&record, step, (&usual, &seen), now).await,
            None => Ok(()),
        }
    }

    /// What the weeks say of an hour of a key, which is the same all through it.
    async fn weeks(&self, key: &str, hour: i64) -> Result<Option<Weeks>, StoreError> {
        let known = self.known.lock().weeks.get(key).copied();
        if let Some((_, weeks)) = known.filter(|(of, _)| *of == hour) {
            return Ok(weeks);
        }
        let weeks = Weeks::at(&self.history(key, hour).await?, hour);
        let known = &mut self.known.lock().weeks;
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(key.to_owned(), (hour, weeks));
        Ok(weeks)
    }

    /// The hours of a key before `end`, which whoever needs them first brings up to date.
    async fn history(&self, key: &str, end: i64) -> Result<History, StoreError> {
        let history = self.spend.history(key).await?.unwrap_or_default();
        if history.next() == Some(end) {
            return Ok(history);
        }
        let oldest = end - KEPT_HOURS;
        let from = history.next().map_or(oldest, |next| (next - UNSURE_HOURS).max(oldest)).min(end);
        let history = history.with(from, end, &self.rollups.of_key(key, from..end).await?);
        self.spend.put_history(key, &history).await?;
        Ok(history)
    }
}

impl From<&Anomaly> for Settings {
    fn from(section: &Anomaly) -> Settings {
        Settings {
            factor: section.factor,
            least_requests: section.min_requests,
            least_cost: NanoUsd::from_nano(section.min_spend_nano),
            stop_after: Duration::from_secs(section.stop_after_seconds),
            cool_down: Duration::from_secs(section.cool_down_seconds),
        }
    }
}

/// A key that an admin slowed or stopped is the admin's concern.
fn may_be_throttled(record: &KeyRecord) -> bool {
    record.revoked_at.is_none() && record.policy.state == ScopeState::Active
}
