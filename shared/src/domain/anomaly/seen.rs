//! What a key has done in the last minute, and in its hour before that.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;

/// How far back is looked, at most: the last slice has only begun.
pub const WINDOW: Duration = Duration::from_secs(60);
const SLICE_MS: i64 = 10_000;
const SLICES: i64 = 6;
/// The latter half of the window.
const LATE_SLICES: i64 = 3;

/// Ten seconds, counted from the epoch.
pub type Slice = i64;

/// The slice that a moment lies in.
pub fn slice(at: Timestamp) -> Slice {
    at.millis().div_euclid(SLICE_MS)
}

/// Where the window before `now` begins.
pub(super) fn begin(now: Timestamp) -> Timestamp {
    Timestamp::from_millis((slice(now) - SLICES + 1) * SLICE_MS)
}

/// What one partition of the ledger holds of a key: all of its hour, and the last minute in slices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    #[serde(rename = "h")]
    pub hour: i64,
    #[serde(rename = "n")]
    pub requests: u64,
    /// Nano-dollars, without upper bounds.
    #[serde(rename = "c")]
    pub cost: i64,
    #[serde(rename = "b")]
    pub buckets: Vec<Bucket>,
}

/// The lines of one slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    #[serde(rename = "t")]
    pub slice: Slice,
    #[serde(rename = "n")]
    pub requests: u64,
    /// Nano-dollars, without upper bounds.
    #[serde(rename = "c")]
    pub cost: i64,
    /// The same, each line clipped.
    #[serde(rename = "u")]
    pub clipped: i64,
}

/// The window of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub requests: u64,
    pub cost: NanoUsd,
    pub clipped: NanoUsd,
    /// Of its latter half.
    pub late_requests: u64,
    pub late_clipped: NanoUsd,
    /// Of the hour, until the window begins.
    pub earlier_requests: u64,
    pub earlier_cost: NanoUsd,
}

impl Seen {
    /// The sum of those buckets that lie in the minute before `now`. None is of the future: a clock that
    /// is ahead would keep its buckets in the window for longer.
    pub fn until<'a>(now: Timestamp, parts: impl IntoIterator<Item = &'a Part>) -> Seen {
        let mut seen = Seen::default();
        for part in parts {
            seen.add(part, now);
        }
        seen
    }

    fn add(&mut self, part: &Part, now: Timestamp) {
        let (mut requests, mut cost) = (0_u64, 0_i64);
        for bucket in &part.buckets {
            let age = slice(now) - bucket.slice;
            if (0..SLICES).contains(&age) {
                requests = requests.saturating_add(bucket.requests);
                cost = cost.saturating_add(bucket.cost);
                self.clipped = add(self.clipped, bucket.clipped);
            }
            if (0..LATE_SLICES).contains(&age) {
                self.late_requests = self.late_requests.saturating_add(bucket.requests);
                self.late_clipped = add(self.late_clipped, bucket.clipped);
            }
        }
        self.requests = self.requests.saturating_add(requests);
        self.cost = add(self.cost, cost);
        if part.hour == now.hour() {
            let earlier = part.requests.saturating_sub(requests);
            self.earlier_requests = self.earlier_requests.saturating_add(earlier);
            self.earlier_cost = add(self.earlier_cost, part.cost.saturating_sub(cost).max(0));
        }
    }
}

fn add(sum: NanoUsd, nano: i64) -> NanoUsd {
    NanoUsd::from_nano(sum.nano().saturating_add(nano))
}
