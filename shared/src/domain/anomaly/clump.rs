//! How many requests of a key come together, and how far they differ in what they cost.
//!
//! Were each made for itself, at an even rate, the number in a minute would be a Poisson variable, whose
//! variance is its mean. Where they come in clumps of so many it is so many times the mean; pages that ask
//! ten questions at once and jobs that run on the hour do that. The clump is read from the busiest minute
//! of an hour, since that is what the rule is about, and is one number.

use std::cmp::Reverse;

use super::history::{History, Hour};
use super::weeks::in_requests;

/// The greatest of sixty normal variables is 2.3 standard deviations above their mean on the average.
const BUSIEST: (u64, u64) = (23, 10);
const MINUTES: u64 = 60;
/// Hours with at most so many times what is to be expected are like the present one, and those with at
/// most so many requests, in which a clump is most of all there is.
const LIKE: u64 = 4;
const FEW: u64 = 120;
/// One in so many days may have had a greater clump, and one in so many hours dearer requests, or an anomaly
/// of a few of them would become usual.
const DAYS: usize = 7;
const HOURS: usize = 128;
/// The spread is taken to be this at least: of costs that are log-normal with a deviation of 1, as of a key
/// that is asked for a line now and for a page then.
const LEAST_SPREAD: u64 = 1_700;

/// The clump that one day in seven exceeds in hours that are like one with `expected` requests, in
/// thousandths; 1,000 at least.
pub(super) fn usual_clump(history: &History, expected: u64) -> u64 {
    let most = expected.saturating_mul(LIKE).saturating_add(FEW);
    let mut of_days: Vec<(i64, u64)> = Vec::new();
    for (at, hour) in history.numbered().filter(|(_, hour)| (1..=most).contains(&hour.requests)) {
        let (day, clump) = (at.div_euclid(24), clump(hour));
        match of_days.last_mut().filter(|(last, _)| *last == day) {
            Some((_, greatest)) => *greatest = clump.max(*greatest),
            None => of_days.push((day, clump)),
        }
    }
    of_days.sort_unstable_by_key(|(_, clump)| Reverse(*clump));
    let except = of_days.len() / DAYS;
    of_days.get(except).map_or(0, |(_, clump)| *clump).max(1_000)
}

/// The variance of what requests cost over the square of their mean, in thousandths. Of an hour with so many
/// requests the difference from what they cost on the average has so many times that as its square.
pub(super) fn usual_spread(hours: &[Hour], per_request: u64) -> u64 {
    let of_hour = |hour: &Hour| {
        let (cost, number) = (in_requests(hour.cost, per_request), hour.requests.saturating_mul(1_000));
        let difference = u128::from(cost.abs_diff(number));
        u64::try_from(difference * difference / u128::from(number)).unwrap_or(u64::MAX)
    };
    let mut squares: Vec<u64> = hours.iter().filter(|hour| hour.requests > 0).map(of_hour).collect();
    let count = squares.len() - squares.len() / HOURS;
    if count < squares.len() {
        squares.select_nth_unstable(count);
    }
    let sum: u128 = squares.iter().take(count).map(|square| u128::from(*square)).sum();
    u64::try_from(sum.checked_div(count as u128).unwrap_or(0)).unwrap_or(u64::MAX).max(LEAST_SPREAD)
}

/// That whose busiest of sixty minutes, `mean + 2.3 sqrt(mean clump) + clump`, is the one there was.
fn clump(hour: &Hour) -> u64 {
    let mean = hour.requests.saturating_mul(1_000) / MINUTES;
    let above = hour.busiest.saturating_mul(1_000).saturating_sub(mean);
    let linear = (mean.saturating_mul(1_000)).isqrt().saturating_mul(BUSIEST.0) / BUSIEST.1;
    let root = linear.saturating_mul(linear).saturating_add(above.saturating_mul(4_000)).isqrt();
    let root_of_clump = root.saturating_sub(linear) / 2;
    root_of_clump.saturating_mul(root_of_clump) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::NanoUsd;

    fn hour(requests: u64, busiest: u64) -> Hour {
        Hour { requests, busiest, ..Hour::default() }
    }

    #[test]
    fn single_requests_are_clumps_of_one_and_pages_of_ten_are_of_ten() {
        // Of 300 at random 5 a minute, and 11 in the busiest.
        assert!((900..1_100).contains(&clump(&hour(300, 11))), "{}", clump(&hour(300, 11)));
        // The same by tens: 5 + 2.3 times the root of 50, and 10.
        assert!((9_500..10_500).contains(&clump(&hour(300, 31))), "{}", clump(&hour(300, 31)));
        assert_eq!(clump(&hour(300, 300)) / 1_000, 218, "all of them in one minute");
        assert!(clump(&hour(60_000, 900)) == 0, "evener than at random");
    }

    #[test]
    fn what_few_days_had_is_left_out_and_so_are_hours_unlike_this_one() {
        let with = |busiest, days: usize| {
            let of =
                |at: usize| if at % 24 == 5 && at / 24 < days { hour(600, busiest) } else { hour(300, 11) };
            History::default().extended(0, &(0..672).map(of).collect::<Vec<Hour>>())
        };
        let quiet = usual_clump(&with(11, 0), 300);
        assert_eq!(usual_clump(&with(400, 4), 300), quiet);
        assert!(usual_clump(&with(400, 5), 300) > 200_000, "a fifth day is no exception");
        assert_eq!(usual_clump(&with(400, 5), 100), quiet, "of hours with fewer requests");
        assert_eq!(usual_clump(&History::default(), 300), 1_000);
    }

    #[test]
    fn requests_of_which_few_cost_anything_have_a_wide_spread() {
        // One in twenty costs a dollar: nineteen times the square of the mean.
        let mut dice = 7_u64;
        let mut hours = Vec::new();
        for _ in 0..672 {
            let mut paid = 0;
            for _ in 0..100 {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                paid += i64::from((dice >> 33).is_multiple_of(20));
            }
            hours.push(Hour { cost: NanoUsd::from_nano(paid * 1_000_000_000), ..hour(100, 6) });
        }
        let spread = usual_spread(&hours, 50_000_000);
        assert!((15_000..23_000).contains(&spread), "{spread}");
        assert_eq!(usual_spread(&[hour(100, 6)], 0), 100_000, "nothing costs anything, and nothing is asked");
        assert_eq!(usual_spread(&[], 5), LEAST_SPREAD);
    }
}
