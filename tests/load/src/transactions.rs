//! The obvious protocol, for comparison: one transaction that takes from the counter and writes the
//! hold, one that gives back, deletes the hold and writes the ledger line. Holds are items of their
//! own, so the counter stays small; but transactions that overlap on it cancel each other.

use super::agenda::Agenda;
use super::store::{NETWORK, Partition};
use super::tally::{Outcome, Tally};
use super::workload::Workload;
use super::{MEASURED, MILLISECOND, Micros, SECOND, WARM_UP};

/// A transaction prepares and then commits, and its units count twice.
const ROUNDS: Micros = 2;
const COUNTER_UNITS: u64 = 2;
/// The hold when it is entered; hold, line and the line's copy in the index when it is settled.
const RESERVE_APART: u64 = 2;
const SETTLE_APART: u64 = 2 + 2 + 1;
/// Tries before the caller is refused, or the settlement goes to the queue; random waits below a
/// bound that doubles from this.
const TRIES: u32 = 6;
const BACKOFF: Micros = 25 * MILLISECOND;
const SETTLE: Micros = 300 * MILLISECOND;

pub(crate) struct Transactions {
    workload: Workload,
    agenda: Agenda<Event>,
    tally: Tally,
    counter: Partition,
}

#[derive(Clone, Copy, Debug)]
struct Request {
    began: Micros,
    admission: Micros,
    settling: Micros,
    tries: u32,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Arrive,
    Reserve(Request),
    Settle(Request),
}

impl Transactions {
    pub(crate) fn new(rate: u32, seed: u64) -> Self {
        let mut agenda = Agenda::default();
        agenda.put(0, Event::Arrive);
        let workload = Workload::new(rate, seed);
        Transactions { workload, agenda, tally: Tally::default(), counter: Partition::default() }
    }

    pub(crate) fn run(mut self) -> Outcome {
        while let Some((now, event)) = self.agenda.next() {
            match event {
                Event::Arrive => self.arrive(now),
                Event::Reserve(request) => self.reserve(now, request),
                Event::Settle(request) => self.settle(now, request),
            }
        }
        self.tally.close(&[self.counter.used()])
    }

    fn arrive(&mut self, now: Micros) {
        if now >= WARM_UP + MEASURED {
            return;
        }
        self.tally.arrived(now);
        let request = Request { began: now, admission: 0, settling: 0, tries: 0 };
        self.agenda.put(now + NETWORK, Event::Reserve(request));
        let next = now + self.workload.gap();
        self.agenda.put(next, Event::Arrive);
    }

    fn reserve(&mut self, now: Micros, request: Request) {
        match self.transact(now, RESERVE_APART) {
            Some(done) => {
                let admission = done + NETWORK - request.began;
                let settling = done + NETWORK + self.workload.stream();
                let next = Request { admission, settling, tries: 0, ..request };
                self.agenda.put(settling + NETWORK, Event::Settle(next));
            }
            None if request.tries + 1 >= TRIES => self.tally.refused(request.began),
            None => self.retry(now, request, Event::Reserve),
        }
    }

    fn settle(&mut self, now: Micros, request: Request) {
        match self.transact(now, SETTLE_APART) {
            Some(done) => {
                let took = done + NETWORK - request.settling;
                if took > SETTLE {
                    self.tally.queued(request.began);
                }
                self.tally.served(request.began, request.admission + took.min(SETTLE));
            }
            None if request.tries + 1 >= TRIES => {
                let later = now + SECOND + self.workload.jitter(SECOND);
                self.tally.repeated(request.began);
                self.agenda.put(later, Event::Settle(Request { tries: 0, ..request }));
            }
            None => self.retry(now, request, Event::Settle),
        }
    }

    /// When the transaction is done; `None` when it met another one or a throttle.
    fn transact(&mut self, now: Micros, apart: u64) -> Option<Micros> {
        let work = self.workload.write() * ROUNDS;
        if self.counter.is_busy(now) {
            return None;
        }
        let done = self.counter.write(now, COUNTER_UNITS, work).ok()?;
        self.tally.spent_apart(now, apart);
        Some(done)
    }

    fn retry(&mut self, now: Micros, request: Request, event: fn(Request) -> Event) {
        self.tally.repeated(request.began);
        let wait = self.workload.jitter(BACKOFF << request.tries);
        let heard = now + self.workload.write() + NETWORK;
        self.agenda.put(heard + wait + NETWORK, event(Request { tries: request.tries + 1, ..request }));
    }
}
