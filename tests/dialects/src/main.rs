//! `round-trip [--cases N] [--seed N] [--pair IN:OUT]`: sends drawn requests through every pair of
//! dialects and writes everything that was made on the way as JSON lines, for those who know the
//! published schemas. A case is the seed of its own: it is run again with `--seed N --cases 1`.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::panic::catch_unwind;
use std::process::ExitCode;

use dialects::round_trip::{Kind, Outcome, Pair, Record, pairs, run};
use serde_json::json;

/// Bytes that one case may draw on.
const BYTES: usize = 4096;
/// Seeds tried for one case whose target can honour the request.
const TRIES: u64 = 50;

struct Arguments {
    cases: u64,
    seed: u64,
    pair: Option<String>,
}

fn main() -> ExitCode {
    let arguments = match read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let mut failed = 0;
    for pair in pairs() {
        let name = format!("{}:{}", pair.inbound, pair.outbound);
        if arguments.pair.as_ref().is_none_or(|wanted| *wanted == name) {
            failed += run_pair(&pair, &name, &arguments, &mut out);
        }
    }
    match (failed, out.flush()) {
        (0, Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn read(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments { cases: 100, seed: 1, pair: None };
    while let Some(name) = words.next() {
        let value = words.next().ok_or_else(|| format!("{name} needs a value"))?;
        let number = || value.parse().map_err(|error| format!("{name}: {error}"));
        match name.as_str() {
            "--cases" => arguments.cases = number()?,
            "--seed" => arguments.seed = number()?,
            "--pair" => arguments.pair = Some(value),
            _ => return Err(format!("unknown argument {name}; known: --cases, --seed, --pair")),
        }
    }
    Ok(arguments)
}

/// Runs the cases of one pair and returns how many failed. Requests that the target refuses are
/// counted and drawn anew, so that as many are answered as were asked for.
fn run_pair(pair: &Pair, name: &str, arguments: &Arguments, out: &mut impl Write) -> u64 {
    let (mut answered, mut failed) = (0, 0);
    let mut refused: BTreeMap<String, u64> = BTreeMap::new();
    let mut seed = arguments.seed;
    while answered + failed < arguments.cases && seed < arguments.seed + arguments.cases * TRIES {
        let mut bytes = vec![0; BYTES];
        fastrand::Rng::with_seed(seed).fill(&mut bytes);
        match catch_unwind(|| run(pair, &bytes)) {
            Ok(Outcome::Answered(records)) => {
                answered += 1;
                records.iter().for_each(|record| write(record, name, seed, out));
            }
            Ok(Outcome::Refused(_)) if arguments.cases == 1 => return 0,
            Ok(Outcome::Refused(param)) => *refused.entry(param).or_default() += 1,
            Err(_) => {
                failed += 1;
                eprintln!(
                    "FAILED {name}; again: cargo run -p dialects -- --pair {name} --seed {seed} --cases 1"
                );
            }
        }
        seed += 1;
    }
    let counts: u64 = refused.values().sum();
    eprintln!(
        "{name}: {answered} answered, {failed} failed, {counts} refused before ({} parameters)",
        refused.len()
    );
    failed
}

fn write(record: &Record, pair: &str, seed: u64, out: &mut impl Write) {
    let kind = match record.kind {
        Kind::Request => "request",
        Kind::Sent => "sent",
        Kind::Whole => "whole",
        Kind::Event => "event",
    };
    let line = json!({ "pair": pair, "seed": seed, "kind": kind, "body": record.body });
    // A reader who left has said why.
    let _ = writeln!(out, "{line}");
}
