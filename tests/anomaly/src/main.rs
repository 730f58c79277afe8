//! `make bench-anomaly`: the figures of the anomaly throttle for the seeds given, or for those that are
//! reported.

use anomaly::REPORTED_SEEDS;
use anomaly::figures::{TEN_TIMES, mornings, print, quiet, spikes};
use anomaly::pattern::Habit;
use anomaly::spike::Attack;

const ATTACKS: [(&str, Attack); 4] = [
    ("10 times the requests", TEN_TIMES),
    ("20 times the requests", Attack { requests: 20.0, ..TEN_TIMES }),
    ("10 times the requests, whose answers take 15 s", Attack { answered: 15.0, ..TEN_TIMES }),
    ("requests 10 times as dear", Attack { requests: 1.0, cost: 10.0, ..TEN_TIMES }),
];

fn main() {
    let given: Vec<u64> = std::env::args().skip(1).filter_map(|seed| seed.parse().ok()).collect();
    let seeds = if given.is_empty() { REPORTED_SEEDS.to_vec() } else { given };
    let mut sums = vec![Vec::new(); ATTACKS.len()];
    for seed in &seeds {
        let mut played = quiet(*seed, Habit::Single);
        mornings(&played);
        let came = spikes(*seed, &mut played, &ATTACKS.map(|(_, attack)| attack));
        sums.iter_mut().zip(came).for_each(|(sum, came)| sum.extend(came));
        for habit in [Habit::Clumps, Habit::Jobs, Habit::Cached] {
            quiet(*seed, habit);
        }
    }
    println!("attacks on the keys of Habit::Single, all seeds:");
    for ((name, attack), came) in ATTACKS.iter().zip(&sums) {
        print(name, *attack, came);
    }
}
