//! A setting made ready: every write that may ever be sent, made by the product's own functions.

use shared::domain::counter::{Allowance, Close, Counter, Hold, HoldFacts, Part, RateLimits, Reserve};
use shared::domain::id::AttemptId;
use shared::domain::ledger::{LedgerLine, Quality};
use shared::domain::money::NanoUsd;
use shared::domain::settlement::{closes, corrections, estimate, is_late, void};
use shared::domain::time::Timestamp;

use super::arena::{Arena, Op, OpId, id};
use super::mutant::Mutant;
use super::setting::{Plan, PlanPart, Request, Setting, Slot};
use super::state::{REQUESTS, SLOTS, State};
use super::sweep::Sweeps;

/// The lines of every plan, by their number in [`super::state::Asked::line`].
pub(crate) const VOID: u8 = 1;
pub(crate) const ESTIMATE: u8 = 2;

pub(crate) struct World {
    pub(crate) setting: Setting,
    pub(crate) mutant: Option<Mutant>,
    pub(crate) arena: Arena,
    /// By request and plan.
    pub(crate) plans: Vec<Vec<Writes>>,
    pub(crate) sweeps: Sweeps,
    /// Of each counter: the first one of its scope and period.
    pub(crate) scopes: Vec<usize>,
}

/// What may be sent for one request under one plan.
pub(crate) struct Writes {
    /// The counter of each part.
    pub(crate) slots: Vec<usize>,
    pub(crate) reserve: Vec<OpId>,
    pub(crate) check: Vec<OpId>,
    pub(crate) give_back: Vec<OpId>,
    pub(crate) fence: OpId,
    pub(crate) lines: Vec<Line>,
    /// Of each end of the request: the number of its line.
    pub(crate) ends: Vec<u8>,
}

/// A ledger line and what follows from it.
pub(crate) struct Line {
    pub(crate) entry: LedgerLine,
    pub(crate) close: Vec<OpId>,
    pub(crate) shares: Vec<i64>,
    /// For each exact line by its number less one: the writes of the correction.
    pub(crate) correct: Vec<Option<Vec<OpId>>>,
}

impl Line {
    pub(crate) fn is_exact(&self) -> bool {
        self.entry.quality == Quality::Exact
    }
}

impl World {
    pub(crate) fn new(mut setting: Setting, mutant: Option<Mutant>) -> Self {
        assert!(setting.slots.len() <= SLOTS && setting.requests.len() <= REQUESTS);
        if mutant == Some(Mutant::HoldTooLittle) {
            for request in &mut setting.requests {
                let most = request.ends.iter_mut().max_by_key(|end| end.billed);
                let most = most.expect("a request has an end");
                (most.billed, most.amount) = (most.billed + 1, most.amount + 1);
            }
        }
        let mut arena = Arena::new(mutant);
        let requests = setting.requests.iter().enumerate();
        let plans = requests.map(|(at, request)| {
            request.plans.iter().map(|plan| writes(&mut arena, &setting, at, request, plan)).collect()
        });
        let plans = plans.collect();
        let slots = &setting.slots;
        let first = |slot: &Slot| slots.iter().position(|other| other.key.shares_scope(&slot.key));
        let scopes = slots.iter().filter_map(first).collect();
        World { setting, mutant, arena, plans, sweeps: Sweeps::new(mutant), scopes }
    }

    pub(crate) fn start(&mut self) -> State {
        let mut state = State::default();
        for (at, slot) in self.setting.slots.iter().enumerate() {
            let cap = NanoUsd::from_nano(slot.cap);
            state.counters[at] = self.arena.intern(slot.is_open.then(|| opened(cap)));
        }
        state
    }
}

fn opened(cap: NanoUsd) -> Counter {
    Counter {
        cap,
        remaining: cap,
        state: Default::default(),
        bar: Default::default(),
        version: Timestamp::default(),
        window: 0,
        requests: 0,
        tokens: 0,
        live: Default::default(),
        floor: None,
        refused_at: None,
    }
}

fn writes(arena: &mut Arena, setting: &Setting, at: usize, request: &Request, plan: &Plan) -> Writes {
    let items: Vec<Part> = plan.parts.iter().map(|part| item(setting, part)).collect();
    let holds: Vec<Hold> = items.iter().map(|part| hold(part.amount, &items)).collect();
    let whole = holds.first().expect("a plan has a part");
    let id = id(at);
    let mut entries = vec![void(id, whole, Timestamp::default()), estimate(id, whole, Timestamp::default())];
    let mut ends = Vec::new();
    for end in &request.ends {
        let amount = NanoUsd::from_nano(end.amount);
        let entry = LedgerLine { quality: end.quality, amount, ..entries[1].clone() };
        let same = |other: &LedgerLine| (other.quality, other.amount) == (entry.quality, entry.amount);
        let known = entries.iter().position(same);
        ends.push(known.unwrap_or(entries.len()) as u8 + 1);
        if known.is_none() {
            entries.push(entry);
        }
    }
    let lines = entries.iter().map(|entry| line(arena, entry, &entries)).collect();
    let parts = plan.parts.iter().zip(&items).zip(&holds);
    let reserves: Vec<Reserve> =
        parts.map(|((part, item), hold)| reserve(setting, id, part, item, hold)).collect();
    let zero = entries.first().expect("the zero line");
    Writes {
        slots: plan.parts.iter().map(|part| part.slot).collect(),
        check: reserves.iter().map(|write| arena.add(Op::Check(write.clone()))).collect(),
        reserve: reserves.into_iter().map(|write| arena.add(Op::Reserve(write))).collect(),
        give_back: closing(arena, zero),
        fence: arena.add(Op::Fence(id)),
        lines,
        ends,
    }
}

fn item(setting: &Setting, part: &PlanPart) -> Part {
    Part { counter: setting.slots[part.slot].key.clone(), amount: NanoUsd::from_nano(part.amount) }
}

fn hold(amount: NanoUsd, items: &[Part]) -> Hold {
    let facts = HoldFacts {
        request: AttemptId::new(Timestamp::default(), 0),
        tenant: String::new(),
        key: String::new(),
        model: String::new(),
        price: String::new(),
        for_lookup: false,
    };
    Hold { amount, tokens: 0, window: 0, items: items.to_vec(), expires: Timestamp::default(), facts }
}

fn reserve(setting: &Setting, id: AttemptId, part: &PlanPart, item: &Part, hold: &Hold) -> Reserve {
    Reserve {
        key: item.counter.clone(),
        id,
        hold: Some(hold.clone()),
        allowance: Allowance {
            cap: NanoUsd::from_nano(setting.slots[part.slot].cap),
            ..Allowance::default()
        },
        limits: RateLimits::default(),
        window: 0,
        tokens: 0,
        form: part.form,
    }
}

fn closing(arena: &mut Arena, entry: &LedgerLine) -> Vec<OpId> {
    let closes: Vec<Close> = closes(entry);
    let parts = entry.items.iter().zip(closes);
    parts.map(|(part, close)| arena.add(Op::Close(close, part.amount))).collect()
}

fn line(arena: &mut Arena, entry: &LedgerLine, all: &[LedgerLine]) -> Line {
    let correct = all.iter().map(|exact| {
        let changes = is_late(entry, exact).then(|| corrections(entry, exact))?;
        Some(changes.into_iter().map(|change| arena.add(Op::Correct(entry.id, change))).collect())
    });
    let correct = correct.collect();
    let shares = closes(entry).iter().map(|close| close.billed.nano()).collect();
    Line { entry: entry.clone(), close: closing(arena, entry), shares, correct }
}
