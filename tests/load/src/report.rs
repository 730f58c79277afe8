//! The table, and what follows from it.

use std::fmt::Write;

use super::{Outcome, P99_MAX, Protocol, simulate};

const RATES: [u32; 4] = [1, 20, 100, 300];
const SHARDS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
/// Rates at which the limit of one counter is looked for.
const STEPS: [u32; 12] = [2, 4, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50];

/// What decides when a scope must be sharded.
#[derive(Clone, Debug, PartialEq)]
pub struct Findings {
    /// Each rate, and the fewest counters that serve it; none where not even the most do.
    pub shards: Vec<(u32, Option<usize>)>,
    /// The highest rate that one counter serves.
    pub one_counter: u32,
    pub table: String,
}

impl Outcome {
    /// Nobody was refused who fitted, and the store added little.
    pub fn holds_the_target(&self) -> bool {
        self.refused == 0 && self.p99 <= P99_MAX
    }
}

/// Runs every rate over every number of counters.
pub fn report(seed: u64) -> Findings {
    let mut table = header();
    let mut shards = Vec::new();
    for rate in RATES {
        let mut fewest = None;
        for count in SHARDS {
            let outcome = simulate(Protocol::Holds { shards: count }, rate, seed);
            if outcome.holds_the_target() {
                fewest = fewest.or(Some(count));
            }
            row(&mut table, rate, &count.to_string(), &outcome);
        }
        row(&mut table, rate, "transactions", &simulate(Protocol::Transactions, rate, seed));
        shards.push((rate, fewest));
    }
    let serves = |rate: &&u32| simulate(Protocol::Holds { shards: 1 }, **rate, seed).holds_the_target();
    let one_counter = STEPS.iter().take_while(serves).last().copied().unwrap_or(1);
    Findings { shards, one_counter, table }
}

fn header() -> String {
    format!(
        "{:>8}  {:>12}  {:>8}  {:>7}  {:>8}  {:>7}  {:>7}  {:>7}  {:>8}  {:>9}  {:>8}\n",
        "rate /s",
        "counters",
        "requests",
        "refused",
        "retries",
        "queued",
        "p50 ms",
        "p99 ms",
        "units /s",
        "units/req",
        "busiest"
    )
}

fn row(table: &mut String, rate: u32, counters: &str, outcome: &Outcome) {
    let Outcome { requests, refused, retries, queued, p50, p99, units, busiest } = outcome;
    let each = units / f64::from(rate);
    let _ = writeln!(
        table,
        "{rate:>8}  {counters:>12}  {requests:>8}  {refused:>7}  {retries:>8}  {queued:>7}  {p50:>7.1}  {p99:>7.1}  {units:>8.0}  {each:>9.1}  {busiest:>8.0}"
    );
}
