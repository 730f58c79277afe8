//! Chance: when requests arrive, how long their streams last, how long the store works on a write.

use super::{MILLISECOND, Micros, SECOND};

/// Streams: half of them last no longer than this; one in a hundred lasts 40 s.
const STREAM_MEDIAN: f64 = 5.0 * SECOND as f64;
const STREAM_SPREAD: f64 = 0.9;
/// A write at the store: DynamoDB's answers take single-digit milliseconds, one in a hundred 10.
const WRITE_MEDIAN: f64 = 4.0 * MILLISECOND as f64;
const WRITE_SPREAD: f64 = 0.4;

pub(crate) struct Workload {
    random: fastrand::Rng,
    /// Microseconds between two requests, on average.
    gap: f64,
}

impl Workload {
    pub(crate) fn new(rate: u32, seed: u64) -> Self {
        Workload { random: fastrand::Rng::with_seed(seed), gap: SECOND as f64 / f64::from(rate) }
    }

    /// Until the next request of many independent callers.
    pub(crate) fn gap(&mut self) -> Micros {
        micros(-self.uniform().ln() * self.gap)
    }

    pub(crate) fn stream(&mut self) -> Micros {
        self.lognormal(STREAM_MEDIAN, STREAM_SPREAD)
    }

    pub(crate) fn write(&mut self) -> Micros {
        self.lognormal(WRITE_MEDIAN, WRITE_SPREAD)
    }

    /// A random wait below `most`.
    pub(crate) fn jitter(&mut self, most: Micros) -> Micros {
        self.random.u64(0..=most)
    }

    pub(crate) fn one_of(&mut self, count: usize) -> usize {
        self.random.usize(0..count)
    }

    pub(crate) fn bits(&mut self) -> u128 {
        self.random.u128(..)
    }

    fn lognormal(&mut self, median: f64, spread: f64) -> Micros {
        // Box and Muller's transform gives the normal part.
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.uniform()).cos();
        micros(median * (spread * normal).exp())
    }

    /// In (0, 1], so that it has a logarithm.
    fn uniform(&mut self) -> f64 {
        1.0 - self.random.f64()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time of minutes at most")]
fn micros(time: f64) -> Micros {
    time as Micros
}
