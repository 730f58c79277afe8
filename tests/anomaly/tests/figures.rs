//! The figures of a seed that no constant was chosen on.

use anomaly::figures::{TEN_TIMES, in_time, mornings, of_size, print, quiet, spikes};
use anomaly::pattern::Habit;
use anomaly::{REPORTED_SEEDS, TUNING_SEEDS};

#[test]
fn two_months_of_two_hundred_keys_raise_at_most_one_false_throttle_and_an_attack_is_slowed_in_a_minute() {
    let seed = REPORTED_SEEDS[0];
    assert!(!TUNING_SEEDS.contains(&seed));
    let mut played = quiet(seed, Habit::Single);
    let slowed: u64 = played.iter().map(|key| key.slowed).sum();
    assert!(slowed <= 1, "{slowed} false throttles");
    let (first_week, later) = mornings(&played);
    assert!(first_week > 0, "compared with the hour before, a morning is told");
    assert_eq!(later, 0, "compared with the week before, none is");
    let came = spikes(seed, &mut played, &[TEN_TIMES]);
    print("10 times the requests", TEN_TIMES, &came[0]);
    // What is smaller cannot be told from chance in a minute by any rule, or nearly so: see `bound`.
    for (size, per_mille) in
        [(5.0..10.0, 900), (10.0..20.0, 960), (20.0..100.0, 990), (100.0..f64::INFINITY, 1_000)]
    {
        let of_size = of_size(&came[0], &size);
        let share = in_time(&of_size) * 1_000 / of_size.len().max(1);
        assert!(share >= per_mille, "{share} in 1,000 of the attacks on keys of {size:?} requests a minute");
    }
}
