//! Whether an hour cost more than it should have.
#![deny(clippy::float_arithmetic)]

use super::{About, Alert, AlertId, Severity};
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;

pub const WEEK_HOURS: i64 = 168;
/// One, in millionths.
const WHOLE_PPM: i128 = 1_000_000;

/// What the rule is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VarianceLimits {
    /// The rise that is still usual, in millionths.
    pub rise_ppm: i64,
    /// What an hour must cost before it is looked at.
    pub min_spend: NanoUsd,
}

/// Compares what `hour` cost with the same hour a week before, once there was something in that week
/// or earlier; until then with the hour before. `cost` says what an hour cost, and `first` is the first
/// hour in which anything did. A fall is no alarm.
pub fn variance(
    tenant: Option<&str>,
    hour: i64,
    first: i64,
    cost: impl Fn(i64) -> NanoUsd,
    limits: VarianceLimits,
    now: Timestamp,
) -> Option<Alert> {
    let compared_hour = if first <= hour - WEEK_HOURS { hour - WEEK_HOURS } else { hour - 1 };
    let (cost_usd, compared_usd) = (cost(hour), cost(compared_hour));
    let (rise, base) = (i128::from(cost_usd.nano()), i128::from(compared_usd.nano()));
    let is_more = rise * WHOLE_PPM > base * (WHOLE_PPM + i128::from(limits.rise_ppm));
    // Before the first hour there is nothing to compare with.
    if compared_hour < first || cost_usd < limits.min_spend || !is_more {
        return None;
    }
    let id = AlertId::of(&["variance", tenant.unwrap_or_default(), &hour.to_string()]);
    let about = About::CostVariance { hour, cost_usd, compared_hour, compared_usd };
    Some(Alert { id, at: now, severity: Severity::Warning, tenant: tenant.map(str::to_owned), about })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: VarianceLimits = VarianceLimits { rise_ppm: 200_000, min_spend: NanoUsd::from_nano(100) };

    fn compared(hours: &[(i64, i64)], hour: i64, first: i64) -> Option<i64> {
        let cost = |hour: i64| {
            let found = hours.iter().find(|(at, _)| *at == hour);
            NanoUsd::from_nano(found.map_or(0, |(_, nano)| *nano))
        };
        let alert = variance(None, hour, first, cost, LIMITS, Timestamp::from_millis(0))?;
        let About::CostVariance { compared_hour, .. } = alert.about else { panic!("a variance") };
        Some(compared_hour)
    }

    #[test]
    fn the_same_hour_of_last_week_counts_once_there_was_one() {
        let hours = [(1000, 121), (999, 100), (832, 200)];
        assert_eq!(compared(&hours, 1000, 990), Some(999));
        assert_eq!(compared(&hours, 1000, 832), None, "it cost more a week before");
        assert_eq!(compared(&[(1000, 241), (999, 900), (832, 200)], 1000, 800), Some(832));
    }

    #[test]
    fn a_usual_rise_a_small_hour_and_the_first_hour_raise_nothing() {
        assert_eq!(compared(&[(1000, 120), (999, 100)], 1000, 999), None);
        assert_eq!(compared(&[(1000, 99), (999, 1)], 1000, 999), None);
        assert_eq!(compared(&[(1000, 500)], 1000, 1000), None);
        assert_eq!(compared(&[(1000, 500)], 1000, 990), Some(999), "nothing in the hour before");
    }
}
