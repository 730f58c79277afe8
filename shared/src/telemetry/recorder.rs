//! What CloudWatch would know, for a gateway without one: the last minutes, in the process.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::event::RequestEvent;
use crate::domain::time::Timestamp;

/// Beyond this the oldest go.
const REQUESTS_MAX: usize = 20_000;

/// The requests of the last minutes.
#[derive(Debug, Default)]
pub struct Recorder(Mutex<VecDeque<Seen>>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Timestamp,
    gateway: Duration,
    fell_back: Option<bool>,
}

/// Requests since a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    pub requests: u64,
    /// The gateway's own time at the 95th percentile, in whole milliseconds.
    pub p95_ms: Option<u64>,
    /// Share of those that could need a fallback and did, in millionths.
    pub fallback_ppm: Option<u32>,
}

impl Recorder {
    pub(super) fn take(&self, event: &RequestEvent) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() == REQUESTS_MAX {
            seen.pop_front();
        }
        seen.push_back(Seen { at: event.at, gateway: event.gateway(), fell_back: event.fell_back() });
    }

    pub fn since(&self, at: Timestamp) -> Recent {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent: Vec<Seen> = seen.iter().copied().filter(|seen| seen.at >= at).collect();
        let mut times: Vec<Duration> = recent.iter().map(|seen| seen.gateway).collect();
        times.sort_unstable();
        let rank = (times.len() * 95).div_ceil(100);
        let p95 = rank.checked_sub(1).and_then(|index| times.get(index));
        let could: Vec<bool> = recent.iter().filter_map(|seen| seen.fell_back).collect();
        let did = could.iter().filter(|fell| **fell).count();
        let share = (did * 1_000_000).checked_div(could.len());
        Recent {
            requests: recent.len() as u64,
            p95_ms: p95.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            fallback_ppm: share.and_then(|share| u32::try_from(share).ok()),
        }
    }
}
