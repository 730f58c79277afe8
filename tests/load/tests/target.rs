//! The target at 100 requests a second on one key, and that the model can tell good from bad.

use load::{Protocol, simulate};

/// As many counters as the model says are needed.
const SHARDS_AT_100: usize = 8;

#[test]
fn at_100_requests_a_second_nobody_is_refused_by_contention_and_p99_is_at_most_100_ms() {
    for seed in 1..=3 {
        let outcome = simulate(Protocol::Holds { shards: SHARDS_AT_100 }, 100, seed);
        assert!(outcome.requests > 5_000, "{outcome:?}");
        assert_eq!(outcome.refused, 0, "seed {seed}: {outcome:?}");
        assert!(outcome.p99 <= 100.0, "seed {seed}: {outcome:?}");
    }
}

#[test]
fn one_counter_does_not_carry_100_requests_a_second() {
    let outcome = simulate(Protocol::Holds { shards: 1 }, 100, 1);
    assert!(outcome.refused > outcome.requests / 10, "{outcome:?}");
}

#[test]
fn transactions_refuse_what_fits_at_100_requests_a_second() {
    let outcome = simulate(Protocol::Transactions, 100, 1);
    assert!(outcome.refused > 0 && outcome.retries > outcome.requests, "{outcome:?}");
}

#[test]
fn a_run_is_decided_by_its_seed() {
    let run = |seed| simulate(Protocol::Holds { shards: 4 }, 20, seed);
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
