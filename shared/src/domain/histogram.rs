//! Durations counted in steps that grow by a fixed factor, so that counts of many hours, shards and
//! instances add up and their percentiles stay true to within a step.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Steps to each doubling of a duration.
const STEPS: u64 = 4;
/// Microseconds below which durations are not told apart.
const LEAST: u64 = 256;
/// Doublings that are told apart: up to 268 seconds, beyond which all is one step.
const DOUBLINGS: u64 = 20;

/// How many durations fell into which step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Histogram(BTreeMap<u8, u64>);

impl Histogram {
    /// Counts one duration in microseconds.
    pub fn count(&mut self, micros: u64) {
        *self.0.entry(step(micros)).or_default() += 1;
    }

    pub fn add(&mut self, other: &Histogram) {
        for (step, count) in &other.0 {
            let sum = self.0.entry(*step).or_default();
            *sum = sum.saturating_add(*count);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Microseconds that `percent` of the durations did not exceed, at most a step (19 to 25 %) too
    /// much; none where nothing was counted.
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let all: u64 = self.0.values().fold(0, |sum, count| sum.saturating_add(*count));
        let wanted = all.saturating_mul(percent).div_ceil(100).max(1);
        let mut seen = 0_u64;
        self.0.iter().find_map(|(step, count)| {
            seen = seen.saturating_add(*count);
            (seen >= wanted).then(|| bound(u64::from(*step)))
        })
    }
}

/// The first step whose bound the duration does not exceed.
fn step(micros: u64) -> u8 {
    let steps = 0..=STEPS * DOUBLINGS;
    let found = steps.clone().find(|step| micros <= bound(*step)).unwrap_or(*steps.end());
    u8::try_from(found).unwrap_or(u8::MAX)
}

/// Microseconds up to which a step reaches: between two doublings in equal parts.
fn bound(step: u64) -> u64 {
    let base = LEAST << (step / STEPS).min(DOUBLINGS);
    base + base / STEPS * (step % STEPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(durations: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        durations.into_iter().for_each(|micros| histogram.count(micros));
        histogram
    }

    #[test]
    fn a_percentile_is_at_most_a_step_too_much() {
        let histogram = of((1..=1_000).map(|n| n * 1_000));
        for (percent, exact) in [(50, 500_000), (95, 950_000), (99, 990_000), (100, 1_000_000)] {
            let found = histogram.percentile(percent).expect("counted");
            assert!((exact..=exact + exact / 4).contains(&found), "{percent}: {found}");
        }
    }

    #[test]
    fn sums_are_those_of_all_durations() {
        let mut sum = of([1, 1_000, 70_000]);
        sum.add(&of([1_000, u64::MAX]));
        assert_eq!(sum, of([1, 1_000, 1_000, 70_000, u64::MAX]));
        assert_eq!(sum.percentile(50), of([1_000]).percentile(50));
    }

    #[test]
    fn nothing_has_no_percentile_and_anything_has_a_step() {
        assert_eq!(Histogram::default().percentile(95), None);
        assert_eq!(of([0]).percentile(95), Some(LEAST));
        assert_eq!(of([u64::MAX]).percentile(1), Some(LEAST << DOUBLINGS));
    }

    #[test]
    fn the_form_is_short() {
        let json = serde_json::to_string(&of([1_000; 3])).expect("json");
        assert_eq!(json, r#"{"8":3}"#);
        assert_eq!(serde_json::from_str::<Histogram>(&json).expect("a histogram"), of([1_000; 3]));
    }
}
