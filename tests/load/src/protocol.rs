//! The hold protocol as the gateway drives it: reserve once, then line and close, over the
//! product's own transitions.
//!
//! What a gateway does after a reply is what `app/reserve.rs`, `app/settle.rs` and the clients of
//! `aws/clients.rs` do: a reserve is never resent, everything else up to three times, and a
//! settlement that takes longer than 300 ms is finished from the queue.

use shared::domain::counter::{self, Counter, WindowForm};
use shared::domain::id::AttemptId;
use shared::domain::money::NanoUsd;

use super::agenda::Agenda;
use super::store::{ITEM_MAX, NETWORK, Partition, Throttled, units};
use super::tally::{Outcome, Tally};
use super::workload::Workload;
use super::writes::{COST, at, bytes, close_of, next_form, reserve_of};
use super::{MEASURED, MILLISECOND, Micros, SECOND, WARM_UP};

/// How long a reserve may go without reply before it is looked for, and the look itself.
const ONCE: Micros = SECOND;
const LOOK: Micros = 3 * MILLISECOND;
/// Rounds of a reserve, each under a fresh id.
const ROUNDS: u32 = 6;
/// One try of a write that may be repeated, how many there are, and the first backoff.
const ATTEMPT: Micros = 500 * MILLISECOND;
const ATTEMPTS: u32 = 3;
const BACKOFF: Micros = 50 * MILLISECOND;
/// What a request waits for its settlement, and when the queue tries again.
const SETTLE: Micros = 300 * MILLISECOND;
const QUEUE: Micros = SECOND;
/// A line of the ledger and its copy in the index by key, less than 1 KB each. The lines of a
/// tenant's hour lie in four partitions.
const LINE_UNITS: u64 = 1;
const LEDGER_PARTITIONS: usize = 4;

pub(crate) struct Holds {
    workload: Workload,
    agenda: Agenda<Event>,
    tally: Tally,
    shards: Vec<Shard>,
    ledger: Vec<Partition>,
    /// The index of the lines by key: one partition for one key.
    index: Partition,
}

#[derive(Default)]
struct Shard {
    partition: Partition,
    counter: Option<Counter>,
}

/// One request on its way through the protocol.
#[derive(Clone, Copy, Debug)]
struct Request {
    began: Micros,
    shard: usize,
    id: AttemptId,
    round: u32,
    form: WindowForm,
    window: i64,
    /// Store time of its admission, when its settlement began, and the try of the write at hand.
    admission: Micros,
    settling: Micros,
    attempt: u32,
    queued: bool,
}

/// A write arrives at the store.
#[derive(Clone, Copy, Debug)]
enum Event {
    Arrive,
    Reserve(Request),
    Line(Request),
    Close(Request),
    /// The close of an id that was given up; nobody waits for it.
    GiveUp(Request),
}

impl Holds {
    pub(crate) fn new(shards: usize, rate: u32, seed: u64) -> Self {
        let mut agenda = Agenda::default();
        agenda.put(0, Event::Arrive);
        Holds {
            workload: Workload::new(rate, seed),
            agenda,
            tally: Tally::default(),
            shards: (0..shards).map(|_| Shard::default()).collect(),
            ledger: (0..LEDGER_PARTITIONS).map(|_| Partition::default()).collect(),
            index: Partition::default(),
        }
    }

    pub(crate) fn run(mut self) -> Outcome {
        while let Some((now, event)) = self.agenda.next() {
            match event {
                Event::Arrive => self.arrive(now),
                Event::Reserve(request) => self.reserve(now, request),
                Event::Line(request) => self.line(now, request),
                Event::Close(request) => self.close(now, request),
                Event::GiveUp(request) => {
                    let _ = self.write_close(now, &request, NanoUsd::ZERO);
                }
            }
        }
        let counters = self.shards.iter().map(|shard| shard.partition.used());
        let others = self.ledger.iter().chain([&self.index]).map(Partition::used);
        self.tally.close(&counters.chain(others).collect::<Vec<_>>())
    }

    fn arrive(&mut self, now: Micros) {
        if now >= WARM_UP + MEASURED {
            return;
        }
        self.tally.arrived(now);
        let request = Request {
            began: now,
            shard: self.workload.one_of(self.shards.len()),
            id: self.fresh(now),
            round: 0,
            form: WindowForm::Same,
            window: at(now).minute(),
            admission: 0,
            settling: 0,
            attempt: 0,
            queued: false,
        };
        self.agenda.put(now + NETWORK, Event::Reserve(request));
        let next = now + self.workload.gap();
        self.agenda.put(next, Event::Arrive);
    }

    fn fresh(&mut self, now: Micros) -> AttemptId {
        AttemptId::new(at(now), self.workload.bits())
    }

    fn reserve(&mut self, now: Micros, request: Request) {
        let write = reserve_of(request.shard, request.id, (request.window, request.form), now);
        let work = self.workload.write();
        let shard = &mut self.shards[request.shard];
        let next = counter::reserve(shard.counter.as_ref(), &write);
        let bytes = bytes(next.as_ref().or(shard.counter.as_ref()));
        if bytes > ITEM_MAX {
            return self.tally.refused(request.began);
        }
        // A throttled reserve answers 503: it is not sent again.
        let Ok(done) = shard.partition.write(now, units(bytes), work) else {
            return self.tally.refused(request.began);
        };
        let (heard, lost) = (done + NETWORK, done + NETWORK > now + ONCE);
        match next {
            Some(next) => shard.counter = Some(next),
            // A window that begins or rolls over; the reply has the old item.
            None => {
                let (window, form) = next_form(shard.counter.as_ref(), now);
                return self.again(heard, Request { window, form, ..request });
            }
        }
        if lost && done > now + ONCE + LOOK {
            self.agenda.put(now + ONCE + LOOK, Event::GiveUp(request));
            return self.again(now + ONCE + LOOK, request);
        }
        let admitted = if lost { now + ONCE + LOOK } else { heard };
        let ended = admitted + self.workload.stream();
        let settling = Request { admission: admitted - request.began, settling: ended, ..request };
        self.agenda.put(ended + NETWORK, Event::Line(settling));
    }

    /// The next round, under a fresh id.
    fn again(&mut self, now: Micros, request: Request) {
        self.tally.repeated(request.began);
        if request.round + 1 >= ROUNDS {
            return self.tally.refused(request.began);
        }
        let id = self.fresh(now);
        self.agenda.put(now + NETWORK, Event::Reserve(Request { id, round: request.round + 1, ..request }));
    }

    fn line(&mut self, now: Micros, request: Request) {
        let work = self.workload.write();
        let place = self.workload.one_of(LEDGER_PARTITIONS);
        let taken = self.ledger[place].take(now, LINE_UNITS).and_then(|()| self.index.take(now, LINE_UNITS));
        match taken {
            // Nobody else writes this item.
            Ok(()) => {
                self.agenda.put(now + work + 2 * NETWORK, Event::Close(Request { attempt: 0, ..request }));
            }
            Err(Throttled) => self.resend(now, request, Event::Line),
        }
    }

    fn close(&mut self, now: Micros, request: Request) {
        match self.write_close(now, &request, COST) {
            Ok(done) if done + NETWORK > now + ATTEMPT && !request.queued => {
                // It will be carried out, but the SDK does not know and sends it again.
                self.resend(now + ATTEMPT, request, Event::Close);
            }
            Ok(done) => {
                let took = (done + NETWORK).saturating_sub(request.settling);
                if took > SETTLE {
                    self.tally.queued(request.began);
                }
                self.tally.served(request.began, request.admission + took.min(SETTLE));
            }
            Err(Throttled) => self.resend(now, request, Event::Close),
        }
    }

    fn write_close(&mut self, now: Micros, request: &Request, billed: NanoUsd) -> Result<Micros, Throttled> {
        let work = self.workload.write();
        let shard = &mut self.shards[request.shard];
        let write = close_of(request.shard, request.id, billed);
        let done = shard.partition.write(now, units(bytes(shard.counter.as_ref())), work)?;
        if let Some(next) = shard.counter.as_ref().and_then(|counter| counter::close(counter, &write)) {
            shard.counter = Some(next);
        }
        Ok(done)
    }

    /// The SDK's next try, or the queue's once those are used up.
    fn resend(&mut self, now: Micros, request: Request, event: fn(Request) -> Event) {
        self.tally.repeated(request.began);
        let attempt = request.attempt + 1;
        let (wait, next) = if attempt < ATTEMPTS {
            let wait = self.workload.jitter(BACKOFF << request.attempt);
            (wait, Request { attempt, ..request })
        } else {
            (QUEUE + self.workload.jitter(QUEUE), Request { attempt: 0, queued: true, ..request })
        };
        self.agenda.put(now + 2 * NETWORK + wait, event(next));
    }
}
