//! Fresh ids and jitter.

use std::time::Duration;

use super::App;
use crate::domain::id::AttemptId;
use crate::domain::time::Timestamp;
use crate::ports::Randomness;

/// The operating system's.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandomness;

impl Randomness for OsRandomness {
    /// # Panics
    /// When the operating system has none: ids would repeat, and money with them.
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system provides randomness");
    }
}

/// An id nobody has used before.
pub(super) fn fresh_id(app: &App, now: Timestamp) -> AttemptId {
    let mut random = [0_u8; 16];
    app.randomness.fill(&mut random);
    AttemptId::new(now, u128::from_le_bytes(random))
}

/// The wait before a retry: any below [`super::Tuning::retry`].
pub(super) fn backoff(app: &App) -> Duration {
    up_to(app, app.tuning.retry)
}

/// Whole milliseconds up to `most`.
pub(super) fn up_to(app: &App, most: Duration) -> Duration {
    let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(below(app, most.saturating_add(1)))
}

/// A whole number below `limit`, or zero.
pub(super) fn below(app: &App, limit: u64) -> u64 {
    let mut random = [0_u8; 8];
    app.randomness.fill(&mut random);
    u64::from_le_bytes(random).checked_rem(limit).unwrap_or(0)
}
