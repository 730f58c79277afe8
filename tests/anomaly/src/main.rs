//! `make bench-anomaly`: the figures of the anomaly throttle for the seeds given, or for those that are
//! reported.

use anomaly::REPORTED_SEEDS;
use anomaly::figures::{TEN_TIMES, mornings, quiet, spikes};
use anomaly::spike::Attack;

fn main() {
    let given: Vec<u64> = std::env::args().skip(1).filter_map(|seed| seed.parse().ok()).collect();
    for seed in if given.is_empty() { REPORTED_SEEDS.to_vec() } else { given } {
        let mut played = quiet(seed);
        mornings(&played);
        spikes(&mut played, "10 times the requests", TEN_TIMES);
        spikes(&mut played, "20 times the requests", Attack { requests: 20.0, cost: 1.0 });
        spikes(&mut played, "requests 10 times as dear", Attack { requests: 1.0, cost: 10.0 });
    }
}
