//! What the rule of cost variance makes of the same traffic: the fleet's hours, each compared with the hour
//! of a week before.

use std::ops::Range;

use shared::domain::alert::{VarianceLimits, variance};
use shared::domain::money::NanoUsd;

use super::pattern::{Pattern, START_HOUR};
use super::quiet::moment;

/// Hours of a day in which a working day begins.
pub const MORNING: Range<i64> = 5..12;
const LIMITS: VarianceLimits =
    VarianceLimits { rise_ppm: 200_000, min_spend: NanoUsd::from_nano(1_000_000_000) };

/// The hours, counted from the start, whose cost is told.
pub fn told(costs: &[NanoUsd]) -> Vec<i64> {
    let cost = |hour: i64| {
        let index = usize::try_from(hour - START_HOUR).ok();
        index.and_then(|index| costs.get(index)).copied().unwrap_or_default()
    };
    let hours = 0..costs.len() as i64;
    let is_told = |hour: &i64| {
        variance(None, START_HOUR + hour, START_HOUR, cost, LIMITS, moment((hour + 1) * 60)).is_some()
    };
    hours.filter(is_told).collect()
}

/// What the keys of `patterns` cost in each hour without noise.
pub fn mean_costs(patterns: &[Pattern], days: i64) -> Vec<NanoUsd> {
    let of_hour = |hour: i64| {
        let minutes = hour * 60..(hour + 1) * 60;
        let cost = |pattern: &Pattern| -> f64 {
            minutes.clone().map(|minute| pattern.level(minute)).sum::<f64>() * pattern.cost
        };
        NanoUsd::from_nano(patterns.iter().map(cost).sum::<f64>() as i64)
    };
    (0..days * 24).map(of_hour).collect()
}
