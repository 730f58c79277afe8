//! `make simulate`: many seeds, or one of them again.
//!
//! ```text
//! simulate --seeds 100000 [--from 0]
//! simulate --seed 42 [--requests 3]
//! ```

use std::process::ExitCode;
use std::time::Instant;

use simulator::{Options, campaign, simulate};

/// Seeds of a run that names none.
const SEEDS: u64 = 10_000;
/// Failures that end a run.
const FAILURES: usize = 3;

#[derive(Default)]
struct Arguments {
    seeds: Option<u64>,
    from: Option<u64>,
    seed: Option<u64>,
    requests: Option<u64>,
}

fn main() -> ExitCode {
    match read(std::env::args().skip(1)) {
        Ok(arguments) => run(&arguments),
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::from(2)
        }
    }
}

fn read(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    while let Some(name) = words.next() {
        let place = match name.as_str() {
            "--seeds" => &mut arguments.seeds,
            "--from" => &mut arguments.from,
            "--seed" => &mut arguments.seed,
            "--requests" => &mut arguments.requests,
            other => return Err(format!("unknown argument {other:?}")),
        };
        let number = words.next().and_then(|word| word.parse().ok());
        *place = Some(number.ok_or_else(|| format!("{name} takes a whole number"))?);
    }
    Ok(arguments)
}

fn run(arguments: &Arguments) -> ExitCode {
    let requests = arguments.requests.and_then(|count| usize::try_from(count).ok());
    let options = Options { requests, ..Options::default() };
    if let Some(seed) = arguments.seed {
        let outcome = simulate(seed, &Options { is_told: true, ..options });
        println!("{outcome}");
        return if outcome.violation.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    let (from, seeds) = (arguments.from.unwrap_or(0), arguments.seeds.unwrap_or(SEEDS));
    let started = Instant::now();
    let done = campaign(from..from.saturating_add(seeds), FAILURES, &options);
    println!("{}\n{:>12.1}  seconds", done.tally, started.elapsed().as_secs_f64());
    for failure in &done.failures {
        println!("\n{failure}");
    }
    println!("\n{} seeds, {} violations", done.tally.worlds, done.failures.len());
    if done.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
