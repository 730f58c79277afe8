//! Many worlds, side by side on all cores; each has a thread to itself while it lasts.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::books::Violation;
use super::run::{Options, Outcome, simulate};
use super::tally::Tally;

/// What became of many worlds.
#[derive(Debug, Default)]
pub struct Campaign {
    pub tally: Tally,
    /// Each with as few requests as still fail, and with its last steps.
    pub failures: Vec<Outcome>,
}

/// Runs the worlds of `seeds`; no further one is begun after `failures_max` failures.
pub fn campaign(seeds: Range<u64>, failures_max: usize, options: &Options) -> Campaign {
    let next = AtomicU64::new(seeds.start);
    let done = Mutex::new(Campaign::default());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || lock(&done).failures.len() >= failures_max {
                        return;
                    }
                    let outcome = caught(seed, options);
                    let mut done = lock(&done);
                    done.tally.add(&outcome.tally);
                    if outcome.violation.is_some() {
                        done.failures.push(outcome);
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.failures.sort_by_key(|failure| failure.seed);
    done.failures = done.failures.iter().map(|failure| shrunk(failure, options)).collect();
    done
}

fn lock(done: &Mutex<Campaign>) -> MutexGuard<'_, Campaign> {
    done.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A world whose own code panics has failed as well.
fn caught(seed: u64, options: &Options) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| simulate(seed, options))).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
        let violation =
            Violation { invariant: "a panic", detail: said.unwrap_or_else(|| "without words".to_owned()) };
        Outcome {
            seed,
            requests: options.requests.unwrap_or(usize::MAX),
            tally: Tally::default(),
            violation: Some(violation),
            steps: Vec::new(),
            moments: 0,
            fingerprint: 0,
        }
    })
}

/// The same seed with the fewest requests that violate anything, told step by step.
fn shrunk(failure: &Outcome, options: &Options) -> Outcome {
    let fewer = std::iter::successors(Some(1_usize), |count| Some(count + 1 + count / 3));
    for requests in fewer.take_while(|count| *count < failure.requests) {
        let told = Options { requests: Some(requests), is_told: true, ..*options };
        let outcome = caught(failure.seed, &told);
        if outcome.violation.is_some() {
            return outcome;
        }
    }
    let told = Options { is_told: true, ..*options };
    let again = caught(failure.seed, &told);
    if again.violation.is_some() { again } else { failure.clone() }
}
