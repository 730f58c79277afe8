//! The fleet's circuit breakers, read through a copy at most a second old. While their store is
//! down, this instance's own copy serves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;

use crate::config::ModelName;
use crate::domain::breaker::{Breaker, BreakerSettings, Verdict};
use crate::domain::time::Timestamp;
use crate::ports::{BreakerStore, Versioned};

/// The oldest copy that may still decide.
pub const FRESH: Duration = Duration::from_secs(1);
/// Swaps before a change is given up: whoever was faster has told the fleet meanwhile.
const TRIES: u32 = 8;
/// Successes that this instance gathers before it earns the fleet retries with a write.
const SUCCESSES_PER_WRITE: u32 = 50;
/// What a probe may take beyond the first content: its settlement.
const PROBE_MARGIN: Duration = Duration::from_secs(5);
/// Targets remembered; callers name them, so the number is bounded.
const TARGETS_MAX: usize = 10_000;

pub struct Breakers {
    store: Arc<dyn BreakerStore>,
    settings: BreakerSettings,
    copies: Mutex<HashMap<String, Copy>>,
}

#[derive(Clone, Default)]
struct Copy {
    seen: Versioned,
    read_at: Option<Timestamp>,
    successes: u32,
}

/// Whether a target may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    Call,
    /// The fleet's one probe is ours.
    Probe,
    Wait {
        until: Timestamp,
    },
}

impl Breakers {
    pub fn new(store: Arc<dyn BreakerStore>, settings: BreakerSettings) -> Self {
        Breakers { store, settings, copies: Mutex::default() }
    }

    /// Reads what is stale, all at once.
    pub async fn refresh<'a>(&self, targets: impl Iterator<Item = &'a ModelName>, now: Timestamp) {
        let stale = targets.filter(|target| !self.is_fresh(target.as_str(), now));
        join_all(stale.map(|target| self.read(target.as_str(), now))).await;
    }

    /// Asks leave for a call whose first content may take `first_token`. A probe is granted to one
    /// asker in the whole fleet, for as long as that takes.
    pub async fn permit(&self, target: &ModelName, first_token: Duration, now: Timestamp) -> Permit {
        let (target, lease) = (target.as_str(), first_token + PROBE_MARGIN);
        let mut seen = match self.is_fresh(target, now) {
            true => self.copy(target).seen,
            false => self.read(target, now).await,
        };
        for _ in 0..TRIES {
            match seen.breaker.verdict(now) {
                Verdict::Allow => return Permit::Call,
                Verdict::Refuse { until } => return Permit::Wait { until },
                Verdict::MayProbe => {}
            }
            if self.swap(target, &seen, seen.breaker.begin_probe(now, lease), now).await {
                return Permit::Probe;
            }
            seen = self.read(target, now).await;
        }
        Permit::Wait { until: now + FRESH }
    }

    pub async fn failed(&self, target: &ModelName, now: Timestamp) {
        self.change(target.as_str(), now, |breaker| Some(breaker.failed(&self.settings, now))).await;
    }

    /// The provider asked for quiet until `until`.
    pub async fn throttled(&self, target: &ModelName, until: Timestamp, now: Timestamp) {
        self.change(target.as_str(), now, |breaker| Some(breaker.cooled(until))).await;
    }

    /// Costs a write only when there is something to tell: failures to forget, a probe that
    /// succeeded, or enough successes to earn retries.
    pub async fn succeeded(&self, target: &ModelName, now: Timestamp) {
        let target = target.as_str();
        let copy = self.update(target, |copy| copy.successes = copy.successes.saturating_add(1));
        let breaker = &copy.seen.breaker;
        let earns = copy.successes >= SUCCESSES_PER_WRITE && *breaker != breaker.succeeded(copy.successes);
        if breaker.failures > 0 || breaker.open_until.is_some() || earns {
            self.change(target, now, |breaker| Some(breaker.succeeded(copy.successes))).await;
            self.update(target, |copy| copy.successes = 0);
        }
    }

    /// Takes one retry from the fleet's budget; false when it is spent.
    pub async fn take_retry(&self, target: &ModelName, now: Timestamp) -> bool {
        self.change(target.as_str(), now, Breaker::take_retry).await
    }

    /// Applies a transition by compare-and-swap, starting from our copy.
    async fn change(
        &self,
        target: &str,
        now: Timestamp,
        transition: impl Fn(&Breaker) -> Option<Breaker>,
    ) -> bool {
        let mut seen = self.copy(target).seen;
        for _ in 0..TRIES {
            let Some(next) = transition(&seen.breaker) else {
                return false;
            };
            if self.swap(target, &seen, next, now).await {
                return true;
            }
            seen = self.read(target, now).await;
        }
        false
    }

    /// A store that does not answer counts as a swap that won: this instance then acts alone.
    async fn swap(&self, target: &str, seen: &Versioned, next: Breaker, now: Timestamp) -> bool {
        if next == seen.breaker {
            return true;
        }
        let (won, version) = match self.store.swap(target, seen.version, &next).await {
            Ok(won) => (won, seen.version + 1),
            Err(error) => {
                tracing::warn!(target_model = target, %error, "breaker kept in this instance only");
                (true, seen.version)
            }
        };
        if won {
            self.update(target, |copy| {
                copy.seen = Versioned { breaker: next, version };
                copy.read_at = Some(now);
            });
        }
        won
    }

    async fn read(&self, target: &str, now: Timestamp) -> Versioned {
        let seen = match self.store.read(target).await {
            Ok(seen) => seen,
            Err(error) => {
                tracing::warn!(target_model = target, %error, "breaker not read; this instance's own state serves");
                self.copy(target).seen
            }
        };
        let copy = self.update(target, |copy| {
            copy.seen = seen;
            copy.read_at = Some(now);
        });
        copy.seen
    }

    fn is_fresh(&self, target: &str, now: Timestamp) -> bool {
        self.copy(target).read_at.is_some_and(|read_at| now.since(read_at) < FRESH)
    }

    fn copy(&self, target: &str) -> Copy {
        let copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        copies.get(target).cloned().unwrap_or_default()
    }

    fn update(&self, target: &str, change: impl FnOnce(&mut Copy)) -> Copy {
        let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        if copies.len() >= TARGETS_MAX && !copies.contains_key(target) {
            copies.clear();
        }
        let copy = copies.entry(target.to_owned()).or_default();
        change(copy);
        copy.clone()
    }
}
