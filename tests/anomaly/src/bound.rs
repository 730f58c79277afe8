//! What can be told from chance at all.

use super::figures::{DAYS, IN_TIME, KEYS};

/// False throttles of all keys in all days.
const FALSE: f64 = 1.0;

/// How likely a spike of so many `times` is told from chance, in time from its first request, by whoever knows
/// the key's very `rate` in requests a minute, sees each request as it is made, has no noise but that requests
/// come at random, and raises one false throttle among all keys and days: the Neyman-Pearson test of two
/// Poisson means over a minute, where it is repeated in each minute of each key.
pub fn at_best(rate: f64, times: f64) -> f64 {
    let mean = rate * IN_TIME / 60.0;
    let intervals = KEYS as f64 * DAYS as f64 * 86_400.0 / IN_TIME;
    let mut least = mean.ceil() as u64;
    while at_least(mean, least) > FALSE / intervals {
        least += 1;
    }
    // The first request is there by what "from its first request" means.
    at_least(mean * times, least.saturating_sub(1))
}

/// That a Poisson variable is `least` or more.
fn at_least(mean: f64, least: u64) -> f64 {
    let mut log = (1..=least).map(|count| (mean / count as f64).ln()).sum::<f64>() - mean;
    let (mut sum, mut count) = (0.0, least);
    // Before the mean the terms grow, and after it they vanish.
    while (count as f64) < mean || log > -42.0 {
        sum += log.exp();
        count += 1;
        log += (mean / count as f64).ln();
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_the_table() {
        for (mean, least, tail) in [(1.0, 1, 0.632_120_6), (5.0, 10, 0.031_828_1), (20.0, 15, 0.895_136_2)] {
            assert!((at_least(mean, least) - tail).abs() < 1e-6, "{mean} {least} {}", at_least(mean, least));
        }
    }

    #[test]
    fn one_a_minute_cannot_be_told_from_ten_and_ten_can() {
        assert!(at_best(1.0, 10.0) < 0.6);
        assert!(at_best(10.0, 10.0) > 0.999_9);
    }
}
