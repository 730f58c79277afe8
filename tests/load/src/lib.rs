//! A model of the store under load: what one key's budget costs at many requests a second, and
//! over how many counters it has to be spread.
//!
//! A discrete-event simulation, seeded and without a clock. The gateway's side is the hold
//! protocol as `app` drives it, over the product's own transitions; the store's side is [`store`],
//! whose assumptions decide the figures and are told with them. Read `protocol` for the one,
//! `transactions` for the protocol it is compared with.

mod agenda;
pub mod fold;
mod protocol;
mod report;
mod size;
mod store;
mod tally;
mod transactions;
mod workload;
mod writes;

pub use report::{Findings, report};
pub use tally::Outcome;

/// A microsecond of simulated time.
pub type Micros = u64;

pub(crate) const MILLISECOND: Micros = 1_000;
pub(crate) const SECOND: Micros = 1_000_000;
/// Until as many streams are open as ever will be.
pub(crate) const WARM_UP: Micros = 60 * SECOND;
pub(crate) const MEASURED: Micros = 60 * SECOND;

/// The target: nobody is refused who fitted, and at the 99th percentile the store adds at most so
/// many milliseconds to a request.
pub const P99_MAX: f64 = 100.0;

/// Which protocol serves the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// The gateway's, over so many counters.
    Holds { shards: usize },
    /// The obvious one: a transaction to reserve and one to settle, over one counter.
    Transactions,
}

/// One key under `rate` requests a second, arriving at random, for two minutes of which the second
/// is measured.
pub fn simulate(protocol: Protocol, rate: u32, seed: u64) -> Outcome {
    match protocol {
        Protocol::Holds { shards } => protocol::Holds::new(shards, rate, seed).run(),
        Protocol::Transactions => transactions::Transactions::new(rate, seed).run(),
    }
}
