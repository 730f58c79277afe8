//! Whether a key spends unlike itself, and what is done about it.
//!
//! What is to be expected is read from its hourly rollups of four weeks ([`History`], [`Weeks`]): the median
//! over the weeks of the same hour of the week. A median, since an anomaly that lasted an hour in one of the
//! weeks must not become usual by itself. The last hour, and this one so far, say how busy this day is, and
//! are followed up to three times the weeks. What the last day kept up in all but two of its hours, at twice
//! what the weeks say of them, counts as well, so that a key that has a new level is judged by it a day later.
//! How much a minute may stand out is read from the busiest minutes of those hours (`clump`): some keys are
//! asked page by page, some by jobs. How far requests differ in cost is read from what the hours cost: some
//! are answered from the cache.
//!
//! What is seen ([`Seen`]) is at most the last minute of the ledger, in steps of ten seconds. A line counts
//! at most sixteen times what a request of the key costs usually, so that one long document is no anomaly;
//! lines that are an upper bound count as requests and not as money, since an outage of a provider makes
//! many of them. See [`judge`] for the rule.
//!
//! All figures are whole numbers. The constants were chosen on other seeds of the simulation
//! (`tests/anomaly`) than those its figures are reported for.
#![deny(clippy::float_arithmetic)]

mod clump;
mod history;
mod judge;
mod seen;
mod usual;
mod weeks;

use std::time::Duration;

use super::money::NanoUsd;

pub use history::{History, Hour, KEPT_HOURS};
pub use judge::{Limit, Step, evidence, judge};
pub use seen::{Bucket, Part, Seen, Slice, WINDOW, slice};
pub use usual::Usual;
pub use weeks::Weeks;

/// What an anomaly is, and how long it is acted upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Times what is to be expected that a minute may reach in any case.
    pub factor: u32,
    /// Requests in a minute below which they are no anomaly.
    pub least_requests: u64,
    /// Cost of a minute below which no cost is an anomaly.
    pub least_cost: NanoUsd,
    /// How long a slowed key may press against its pace before it is stopped.
    pub stop_after: Duration,
    /// How long a key is slowed, and how long it is stopped.
    pub cool_down: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            factor: 3,
            least_requests: 15,
            least_cost: NanoUsd::from_nano(50_000_000),
            stop_after: Duration::from_secs(300),
            cool_down: Duration::from_secs(1_800),
        }
    }
}

#[cfg(test)]
mod tests;
