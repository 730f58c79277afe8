//! Waiting out a transaction that holds an item. Late settlements are transactions, and counts of
//! comparisons.

use std::time::Duration;

/// Tries in all before a conflict is reported.
pub(super) const TRIES: u32 = 6;
const FIRST_MILLIS: u64 = 8;

/// Sleeps a random time below a bound that doubles with every try.
pub(super) async fn back_off(attempt: u32) {
    let mut random = [0_u8; 8];
    // Without randomness the whole bound is waited, which is only less polite.
    let fraction = match getrandom::fill(&mut random) {
        Ok(()) => u64::from_le_bytes(random),
        Err(_) => u64::MAX,
    };
    let bound = FIRST_MILLIS << attempt.min(5);
    let micros = fraction.checked_rem(bound * 1000).unwrap_or(0);
    tokio::time::sleep(Duration::from_micros(micros)).await;
}
