//! Every random choice of a world comes from one seed.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::ports::Randomness;

/// A stream of choices; clones draw from the same one.
#[derive(Clone, Debug)]
pub(crate) struct Dice(Arc<Mutex<fastrand::Rng>>);

impl Dice {
    /// The stream number `stream` of `seed`. Streams do not touch each other, so that a world with
    /// fewer requests asks the remaining ones alike.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        // Neighbouring seeds must not lead to neighbouring streams.
        let mixed = (seed ^ stream.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Dice(Arc::new(Mutex::new(fastrand::Rng::with_seed(mixed ^ (mixed >> 29)))))
    }

    fn rng(&self) -> MutexGuard<'_, fastrand::Rng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn within(&self, range: RangeInclusive<u64>) -> u64 {
        self.rng().u64(range)
    }

    pub(crate) fn index(&self, length: usize) -> usize {
        self.rng().usize(0..length)
    }

    /// True in `per_mille` of a thousand cases. What never happens draws nothing.
    pub(crate) fn chance(&self, per_mille: u64) -> bool {
        per_mille > 0 && self.within(1..=1000) <= per_mille
    }

    pub(crate) fn pick<T: Copy>(&self, of: &[T]) -> T {
        of[self.index(of.len())]
    }

    pub(crate) fn millis(&self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.within(range))
    }

    /// Somewhere between the two, every order of magnitude alike.
    pub(crate) fn magnitude(&self, least: u64, most: u64) -> u64 {
        let (low, high) = (u64::from(least.max(1).ilog2()), u64::from(most.max(1).ilog2()));
        let scale = 1_u64 << self.within(low..=high);
        self.within(scale..=scale.saturating_mul(2)).clamp(least, most)
    }
}

impl Randomness for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        self.rng().fill(bytes);
    }
}
