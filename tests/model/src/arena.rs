//! Counters by number, and the product's transitions on them, each computed once.

use shared::domain::counter::{self, Close, Counter, Reserve};
use shared::domain::id::AttemptId;
use shared::domain::money::NanoUsd;
use shared::domain::settlement::{Correction, View, view};

use super::mutant::Mutant;
use super::state::REQUESTS;

const UNKNOWN: u16 = u16::MAX;
const REFUSED: u16 = u16::MAX - 1;

/// A write to one item.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Reserve(Reserve),
    /// The read of a check that is no condition; of one mutant only.
    Check(Reserve),
    /// With what the hold takes, which the mutant without a condition gives back.
    Close(Close, NanoUsd),
    Fence(AttemptId),
    Correct(AttemptId, Correction),
}

/// Names an [`Op`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpId(usize);

/// What the checker asks of a counter all the time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// What a read of it says of each request.
    pub(crate) views: [View; REQUESTS],
    /// None where the counter was not created yet.
    pub(crate) remaining: Option<i64>,
}

pub(crate) struct Arena {
    counters: Vec<Option<Counter>>,
    facts: Vec<Facts>,
    ops: Vec<Op>,
    /// For each op what it makes of each counter.
    memo: Vec<Vec<u16>>,
    mutant: Option<Mutant>,
}

/// The id of the request at this place.
pub(crate) fn id(request: usize) -> AttemptId {
    AttemptId::new(shared::domain::time::Timestamp::default(), request as u128 + 1)
}

impl Arena {
    pub(crate) fn new(mutant: Option<Mutant>) -> Self {
        Arena { counters: Vec::new(), facts: Vec::new(), ops: Vec::new(), memo: Vec::new(), mutant }
    }

    pub(crate) fn intern(&mut self, counter: Option<Counter>) -> u16 {
        // Rates are not explored, and would make every counter tell how often it was asked.
        let counter = counter.map(|counter| Counter { requests: 0, tokens: 0, ..counter });
        if let Some(known) = self.counters.iter().position(|other| *other == counter) {
            return known as u16;
        }
        let views = std::array::from_fn(|request| view(counter.as_ref(), id(request)));
        let opened = counter.as_ref().filter(|counter| !counter.is_unopened());
        self.facts.push(Facts { views, remaining: opened.map(|counter| counter.remaining.nano()) });
        self.counters.push(counter);
        (self.counters.len() - 1) as u16
    }

    pub(crate) fn add(&mut self, op: Op) -> OpId {
        self.ops.push(op);
        self.memo.push(Vec::new());
        OpId(self.ops.len() - 1)
    }

    pub(crate) fn facts(&self, counter: u16) -> &Facts {
        &self.facts[usize::from(counter)]
    }

    pub(crate) fn len(&self) -> usize {
        self.counters.len()
    }

    /// What the write makes of the counter; none where its condition fails.
    pub(crate) fn apply(&mut self, op: OpId, counter: u16) -> Option<u16> {
        let memo = &mut self.memo[op.0];
        let at = usize::from(counter);
        if memo.len() <= at {
            memo.resize(at + 1, UNKNOWN);
        }
        match memo[at] {
            UNKNOWN => {
                let next = self.write(op, at).map(|next| self.intern(Some(next)));
                self.memo[op.0][at] = next.unwrap_or(REFUSED);
                next
            }
            REFUSED => None,
            next => Some(next),
        }
    }

    fn write(&self, op: OpId, at: usize) -> Option<Counter> {
        let counter = self.counters[at].as_ref();
        match (&self.ops[op.0], self.mutant) {
            (Op::Reserve(write), Some(Mutant::IgnoreFloor | Mutant::DeadlineForFloor)) => {
                let floor = counter.and_then(|counter| counter.floor);
                let unfenced = counter.map(|counter| Counter { floor: None, ..counter.clone() });
                let next = counter::reserve(unfenced.as_ref(), write)?;
                Some(Counter { floor, ..next })
            }
            (Op::Reserve(write), Some(Mutant::CheckThenIncrement)) => {
                let mut next = counter?.clone();
                next.remaining = next.remaining.checked_sub(write.amount()).ok()?;
                next.live.insert(write.id, write.hold.clone()?);
                Some(next)
            }
            (Op::Reserve(write) | Op::Check(write), _) => counter::reserve(counter, write),
            (Op::Close(write, amount), Some(Mutant::CloseUnconditionally)) => counter::close(counter?, write)
                .or_else(|| {
                    let mut next = counter?.clone();
                    let back = amount.checked_sub(write.billed).ok()?;
                    next.remaining = next.remaining.checked_add(back).ok()?;
                    Some(next)
                }),
            (Op::Close(write, _), _) => counter::close(counter?, write),
            (Op::Fence(id), _) => counter::fence(counter, *id),
            (Op::Correct(id, change), Some(Mutant::CorrectOpenHolds)) => {
                let closed = Counter { live: Default::default(), ..counter?.clone() };
                let next = counter::correct(&closed, *id, change.estimated, change.exact)?;
                Some(Counter { live: counter?.live.clone(), ..next })
            }
            (Op::Correct(id, change), _) => counter::correct(counter?, *id, change.estimated, change.exact),
        }
    }
}
