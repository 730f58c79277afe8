//! `tollgate prices`: the price list and the public catalogue of prices, both as local files.

mod diff;
mod import;
mod list;

use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use shared::clock::SystemClock;
use shared::config::Catalogue;
use shared::domain::money::NanoUsd;
use shared::ports::Clock;

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    action: Action,
    /// Print one JSON document instead of text.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the prices that hold today.
    List(list::List),
    /// Make price rows of a catalogue in the format of LiteLLM's model_prices_and_context_window.json.
    ///
    /// Models that a price list cannot hold are named with the reason and left out. The list that is
    /// written keeps every row it had: a model with a row is left as it is.
    Import(import::Import),
    /// Compare the price list with such a catalogue.
    ///
    /// Reports per model and rate what the list says, what the catalogue says and the change; changes
    /// above 20 % are marked for review. A rate that the catalogue does not state is not compared, and
    /// batches only where both have them. Exit code 1 when anything differs, 0 when nothing does, 2
    /// when a file cannot be compared.
    Diff(diff::Diff),
}

/// How a command ended short of what it was asked for.
enum Failure {
    /// The files it was given cannot be used.
    WrongUse(String),
    /// It could not do its work.
    Failed(String),
}

pub(super) fn run(options: &Options) -> ExitCode {
    let today = SystemClock.now().date();
    let done = match &options.action {
        Action::List(list) => list.run(&today, options.json),
        Action::Import(import) => import.run(&today, options.json),
        Action::Diff(diff) => diff.run(&today, options.json),
    };
    let (why, code) = match done {
        Ok(code) => return code,
        Err(Failure::WrongUse(why)) => (why, ExitCode::from(2)),
        Err(Failure::Failed(why)) => (why, ExitCode::FAILURE),
    };
    eprintln!("tollgate: {why}");
    code
}

/// Reads a catalogue.
fn catalogue(path: &Path) -> Result<Catalogue, Failure> {
    let named = |why: &dyn Display| Failure::WrongUse(format!("{}: {why}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| named(&error))?;
    Catalogue::parse(&text).map_err(|faults| named(&faults))
}

/// Prints `text` and ends the line. Whoever reads no further, such as `head`, has what it wanted.
fn print(text: &str) -> Result<(), Failure> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Failed(error.to_string())),
        _ => Ok(()),
    }
}

/// Dollars per million tokens of a rate in micro-dollars per million tokens.
fn dollars(rate: i64) -> String {
    NanoUsd::from_nano(rate.saturating_mul(1000)).to_string()
}
