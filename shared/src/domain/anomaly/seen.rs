//! What a key has done in the last minute.

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
}

impl Seen {
    /// The sum of those buckets that lie in the minute before `now`. None is of the future: a clock that
    /// is ahead would keep its buckets in the window for longer.
    pub fn until<'a>(now: Timestamp, buckets: impl IntoIterator<Item = &'a Bucket>) -> Seen {
        let last = slice(now);
        let mut seen = Seen::default();
        for bucket in buckets {
            let age = last - bucket.slice;
            if (0..SLICES).contains(&age) {
                seen.requests = seen.requests.saturating_add(bucket.requests);
                seen.cost = add(seen.cost, bucket.cost);
                seen.clipped = add(seen.clipped, bucket.clipped);
            }
            if (0..LATE_SLICES).contains(&age) {
                seen.late_requests = seen.late_requests.saturating_add(bucket.requests);
                seen.late_clipped = add(seen.late_clipped, bucket.clipped);
            }
        }
        seen
    }
}

fn add(sum: NanoUsd, nano: i64) -> NanoUsd {
    NanoUsd::from_nano(sum.nano().saturating_add(nano))
}
