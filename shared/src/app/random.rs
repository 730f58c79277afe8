//! Fresh ids and jitter from the operating system.

use std::time::Duration;

use crate::domain::id::AttemptId;
use crate::domain::time::Timestamp;

/// An id nobody has used before.
pub(super) fn fresh_id(now: Timestamp) -> AttemptId {
    let mut random = [0_u8; 16];
    fill(&mut random);
    AttemptId::new(now, u128::from_le_bytes(random))
}

/// A whole number below `limit`, or zero.
pub(super) fn below(limit: u64) -> u64 {
    let mut random = [0_u8; 8];
    fill(&mut random);
    u64::from_le_bytes(random).checked_rem(limit).unwrap_or(0)
}

/// The wait before a retry: any below `most`.
pub(super) fn backoff(most: Duration) -> Duration {
    let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(below(most.saturating_add(1)))
}

/// # Panics
/// When the operating system has no randomness: ids would repeat, and money with them.
pub(super) fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system provides randomness");
}
