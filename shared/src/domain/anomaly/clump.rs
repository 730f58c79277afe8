//! How many requests of a key come together.
//!
//! Were each made for itself, at an even rate, the number in a minute would be a Poisson variable, whose
//! variance is its mean. Where they come in clumps of so many it is so many times the mean; pages that ask
//! ten questions at once and jobs that run on the hour do that. The clump is read from the busiest minute
//! of an hour, since that is what the rule is about, and is one number.

use super::history::Hour;

/// The greatest of sixty normal variables is 2.3 standard deviations above their mean on the average.
const BUSIEST: (u64, u64) = (23, 10);
const MINUTES: u64 = 60;
/// Hours with at most so many times what is to be expected are like the present one, and those with at
/// most so many requests, in which a clump is most of all there is.
const LIKE: u64 = 4;
const FEW: u64 = 120;
/// One in so many of the hours like this may have come in greater clumps, and one more, or an anomaly of a
/// few hours would become usual.
const EXCEPT: usize = 128;

/// The clump that one in a hundred hours exceeds, of hours that are like one with `expected` requests, in
/// thousandths; 1,000 at least.
pub(super) fn usual_clump(hours: &[Hour], expected: u64) -> u64 {
    let most = expected.saturating_mul(LIKE).saturating_add(FEW);
    let like = hours.iter().filter(|hour| hour.busiest > 0 && hour.requests <= most);
    let mut clumps: Vec<u64> = like.map(clump).collect();
    let except = clumps.len() / EXCEPT + 1;
    if clumps.len() <= except {
        return clumps.into_iter().max().unwrap_or(0).max(1_000);
    }
    let (_, clump, _) = clumps.select_nth_unstable_by(except, |a, b| b.cmp(a));
    (*clump).max(1_000)
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
    fn the_greatest_clumps_are_left_out_and_so_are_hours_unlike_this_one() {
        let quiet = vec![hour(300, 11); 664];
        let with = |busiest, hours| [quiet.clone(), vec![hour(600, busiest); hours]].concat();
        assert_eq!(usual_clump(&with(400, 6), 300), usual_clump(&quiet, 300));
        assert!(usual_clump(&with(400, 7), 300) > 200_000, "a seventh hour is no exception");
        assert!(usual_clump(&with(400, 7), 100) < 1_100, "of hours with fewer requests");
        assert_eq!(usual_clump(&[], 300), 1_000);
    }
}
