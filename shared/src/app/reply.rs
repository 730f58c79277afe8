//! A reply that has begun, and what is noted of its beginning.

use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::mpsc::Receiver;

use super::observation::{AUTH, CACHE, Observation, RESERVE, SEARCH};
use super::route::Plan;
use super::run::Frame;
use crate::domain::id::AttemptId;
use crate::domain::notes::{CacheStatus, Near, Notes, Spent, micros};
use crate::domain::time::Timestamp;

/// A reply that has begun. The frames end when everything, settlement included, is done.
#[derive(Debug)]
pub struct Reply {
    pub request_id: AttemptId,
    pub cache: CacheStatus,
    /// Why the cache was passed by, where it was.
    pub bypass: Option<&'static str>,
    /// What came of the search for near questions, where there was one.
    pub near: Option<Near>,
    /// The request whose answer it is: another one's, where an idempotency key brings it back.
    pub answers: AttemptId,
    pub from_cache: bool,
    pub choices: u64,
    pub streams: bool,
    pub include_usage: bool,
    /// Members of the request that the reply repeats.
    pub echo: Map<String, Value>,
    pub created: Timestamp,
    pub timing: Timing,
    pub frames: Receiver<Frame>,
}

impl Reply {
    /// Whether an idempotency key brought an earlier answer back.
    pub fn is_replay(&self) -> bool {
        self.answers != self.request_id
    }

    /// What its first line is to say of the cache, and of the time so far.
    pub(super) fn notes(&self) -> Notes {
        Notes {
            cache: self.cache,
            bypass: self.bypass.map(str::to_owned),
            near: self.near.clone(),
            spent: self.timing.spent(),
            ..Notes::default()
        }
    }

    /// The same, where models are to be asked.
    pub(super) fn notes_of(&self, plan: &Plan) -> Notes {
        let planned = match plan.targets.as_slice() {
            // The line itself names its model.
            [_] => Vec::new(),
            several => several.iter().map(|target| target.model.to_string()).collect(),
        };
        Notes { planned, skipped: plan.skipped.clone(), ..self.notes() }
    }
}

/// What the gateway spent before the reply began.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// The key; it is looked up while the cache is.
    pub auth: Duration,
    /// The exact tier.
    pub cache: Duration,
    /// The search for near questions, where there was one.
    pub lookup: Option<Duration>,
    /// The admission of a hit; a miss is admitted per attempt.
    pub admit: Duration,
}

impl Timing {
    /// What was observed so far.
    pub(super) fn of(observed: &Observation) -> Self {
        let [auth, cache, admit] =
            [AUTH, CACHE, RESERVE].map(|step| observed.spent(step).unwrap_or_default());
        Timing { auth, cache, lookup: observed.spent(SEARCH), admit }
    }

    fn spent(&self) -> Spent {
        let [auth, cache, admit] = [self.auth, self.cache, self.admit].map(micros);
        Spent { auth, cache, admit, lookup: self.lookup.map(micros), ..Spent::default() }
    }
}
