//! The figures of a seed that no constant was chosen on.

use anomaly::figures::{TEN_TIMES, in_time, mornings, of_size, quiet, spikes};
use anomaly::{REPORTED_SEEDS, TUNING_SEEDS};

#[test]
fn two_months_of_two_hundred_keys_raise_at_most_one_false_throttle_and_an_attack_is_slowed_in_a_minute() {
    let seed = REPORTED_SEEDS[0];
    assert!(!TUNING_SEEDS.contains(&seed));
    let mut played = quiet(seed);
    let slowed: u64 = played.iter().map(|key| key.slowed).sum();
    assert!(slowed <= 1, "{slowed} false throttles");
    let (first_week, later) = mornings(&played);
    assert!(first_week > 0, "compared with the hour before, a morning is told");
    assert_eq!(later, 0, "compared with the week before, none is");
    let noticed = spikes(&mut played, "10 times the requests", TEN_TIMES);
    // What is below stays below the least number of requests that is an anomaly.
    for (size, per_cent) in [(5.0..20.0, 70), (20.0..100.0, 80), (100.0..f64::INFINITY, 90)] {
        let of_size = of_size(&noticed, &size);
        let share = in_time(&of_size) * 100 / of_size.len().max(1);
        assert!(share >= per_cent, "{share} % of the attacks on keys of {size:?} requests a minute");
    }
}
