//! What the requests of a run went through.

use super::{MEASURED, Micros, SECOND, WARM_UP};

/// The figures of one run, of the requests that arrived while it was measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    pub requests: usize,
    /// Refused though the budget had room.
    pub refused: usize,
    /// Writes that had to be sent again.
    pub retries: usize,
    /// Settlements that took too long for the request and were finished from the queue.
    pub queued: usize,
    /// Milliseconds that the store added to a request, admission and settlement together.
    pub p50: f64,
    pub p99: f64,
    /// Write units a second, all tables and their indexes.
    pub units: f64,
    /// Write units a second of the busiest partition, which can give 1,000.
    pub busiest: f64,
}

#[derive(Default)]
pub(crate) struct Tally {
    outcome: Outcome,
    store: Vec<Micros>,
    /// Units of partitions that are not modelled, since nobody shares them.
    apart: u64,
}

fn counts(began: Micros) -> bool {
    (WARM_UP..WARM_UP + MEASURED).contains(&began)
}

impl Tally {
    /// Notes that a request began, and whether it counts.
    pub(crate) fn arrived(&mut self, began: Micros) {
        self.outcome.requests += usize::from(counts(began));
    }

    pub(crate) fn refused(&mut self, began: Micros) {
        self.outcome.refused += usize::from(counts(began));
    }

    pub(crate) fn repeated(&mut self, began: Micros) {
        self.outcome.retries += usize::from(counts(began));
    }

    pub(crate) fn queued(&mut self, began: Micros) {
        self.outcome.queued += usize::from(counts(began));
    }

    /// A request is done after so much time of the store.
    pub(crate) fn served(&mut self, began: Micros, store: Micros) {
        if counts(began) {
            self.store.push(store);
        }
    }

    pub(crate) fn spent_apart(&mut self, now: Micros, units: u64) {
        self.apart += if counts(now) { units } else { 0 };
    }

    /// The figures, with the units that the shared partitions used.
    pub(crate) fn close(mut self, used: &[u64]) -> Outcome {
        self.store.sort_unstable();
        let seconds = (MEASURED / SECOND) as f64;
        let all = used.iter().sum::<u64>() + self.apart;
        Outcome {
            p50: milliseconds(&self.store, 50),
            p99: milliseconds(&self.store, 99),
            units: all as f64 / seconds,
            busiest: used.iter().max().copied().unwrap_or(0) as f64 / seconds,
            ..self.outcome
        }
    }
}

fn milliseconds(sorted: &[Micros], percent: usize) -> f64 {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).map_or(0.0, |time| *time as f64 / 1_000.0)
}
