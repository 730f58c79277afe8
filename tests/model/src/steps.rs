//! What may happen next.

use shared::domain::settlement::{Conclusion, Entered, View, conclude};

use super::arena::OpId;
use super::mutant::Mutant;
use super::state::{Asked, Phase, State, bit};
use super::world::{ESTIMATE, VOID, World};

/// One step of anybody, by the numbers of requests, parts, plans, ends and lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    PeriodEnds,
    /// A gateway sends its reserves, side by side.
    Begin {
        request: usize,
        plan: u8,
    },
    Lands {
        request: usize,
        part: usize,
    },
    Refused {
        request: usize,
        part: usize,
    },
    /// The store says no for reasons of its own.
    Throttled {
        request: usize,
        part: usize,
    },
    /// The mutant's read, which found room.
    Checked {
        request: usize,
        part: usize,
    },
    GivesUp {
        request: usize,
        abandons: bool,
    },
    Dispatches {
        request: usize,
        end: u8,
    },
    GivesBack {
        request: usize,
        part: usize,
    },
    Fences {
        request: usize,
        part: usize,
    },
    Puts {
        request: usize,
        line: u8,
    },
    Closes {
        request: usize,
        part: usize,
        line: u8,
    },
    Corrects {
        request: usize,
        estimate: u8,
        exact: u8,
    },
}

type Next = Vec<(Step, State)>;

impl World {
    /// Every step from `state` that changes it.
    pub(crate) fn steps(&mut self, state: &State, next: &mut Next) {
        if self.setting.next_period.is_some() && !state.rolled {
            next.push((Step::PeriodEnds, State { rolled: true, ..*state }));
        }
        for request in 0..self.setting.requests.len() {
            match state.asked[request].phase {
                Phase::Idle => self.begin(state, request, next),
                phase => {
                    self.reserves(state, request, next);
                    if phase == Phase::Sent {
                        self.conclusions(state, request, next);
                    }
                    self.give_backs(state, request, next);
                    self.fences(state, request, next);
                    self.puts(state, request, next);
                    self.closes(state, request, next);
                    self.corrections(state, request, next);
                }
            }
        }
        for (_, state) in next.iter_mut() {
            self.look(state);
        }
    }

    /// Sweepers look at any moment, so whatever can be seen now has been seen by somebody.
    fn look(&self, state: &mut State) {
        for request in 0..self.setting.requests.len() {
            let asked = state.asked[request];
            if asked.phase == Phase::Idle {
                continue;
            }
            let parts = self.plans[request][usize::from(asked.plan)].slots.len();
            let views = |view: View| {
                let seen = (0..parts).filter(|part| self.view(state, request, *part) == view);
                seen.fold(0_u8, |mask, part| mask | 1 << part)
            };
            let (live, fenced) = (views(View::Live), views(View::Fenced));
            let known = asked.known || (live != 0 && asked.line == 0);
            if known {
                let absent = asked.absent | (!live & ((1 << parts) - 1));
                let fenced = asked.fenced | fenced;
                state.asked[request] = Asked { known, absent, fenced, ..asked };
            }
        }
    }

    fn begin(&self, state: &State, request: usize, next: &mut Next) {
        for (plan, chosen) in self.setting.requests[request].plans.iter().enumerate() {
            if chosen.after_period.is_none_or(|after| after == state.rolled) {
                let plan = plan as u8;
                let begun = Asked { phase: Phase::Sent, plan, ..Asked::default() };
                next.push((Step::Begin { request, plan }, with(state, request, begun)));
            }
        }
    }

    fn reserves(&mut self, state: &State, request: usize, next: &mut Next) {
        let asked = state.asked[request];
        let (plan, mutant) = (usize::from(asked.plan), self.mutant);
        for part in 0..self.plans[request][plan].slots.len() {
            let again = mutant == Some(Mutant::ResendReserve) && bit(asked.landed, part);
            if !asked.in_flight(part) && !again {
                continue;
            }
            let writes = &self.plans[request][plan];
            let (slot, write, check) = (writes.slots[part], writes.reserve[part], writes.check[part]);
            if mutant == Some(Mutant::CheckThenIncrement) && !bit(asked.checked, part) {
                if self.arena.apply(check, state.counters[slot]).is_some() {
                    let checked = Asked { checked: asked.checked | 1 << part, ..asked };
                    next.push((Step::Checked { request, part }, with(state, request, checked)));
                }
                continue;
            }
            let refused = with(state, request, Asked { refused: asked.refused | 1 << part, ..asked });
            match self.arena.apply(write, state.counters[slot]) {
                Some(counter) => {
                    let landed = Asked { landed: asked.landed | 1 << part, ..asked };
                    let landed = with_counter(&with(state, request, landed), slot, counter);
                    next.push((Step::Lands { request, part }, landed));
                    if !again {
                        next.push((Step::Throttled { request, part }, refused));
                    }
                }
                None if again => {}
                None => next.push((Step::Refused { request, part }, refused)),
            }
        }
    }

    /// What the gateway may conclude: a reserve without reply may have been looked for before it
    /// landed, so silence is possible whatever came of it.
    fn conclusions(&self, state: &State, request: usize, next: &mut Next) {
        let asked = state.asked[request];
        let parts = self.plans[request][usize::from(asked.plan)].slots.len();
        let heard = |part| match (bit(asked.landed, part), bit(asked.refused, part)) {
            (true, _) => Entered::Held,
            (_, true) => Entered::Refused,
            _ => Entered::Unheard,
        };
        let all: Vec<Entered> = (0..parts).map(heard).collect();
        for silent in 0..=parts {
            let mut entered = all.clone();
            if let Some(entered) = entered.get_mut(silent) {
                *entered = Entered::Unheard;
            }
            match conclude(&entered) {
                Conclusion::Dispatch => self.dispatches(state, request, next),
                Conclusion::GiveBack => next.push(gives_up(state, request, false)),
                Conclusion::Abandon => {
                    let with_line = self.mutant != Some(Mutant::AbandonWithoutLine);
                    next.push(gives_up(state, request, with_line));
                }
            }
        }
    }

    fn dispatches(&self, state: &State, request: usize, next: &mut Next) {
        for end in 0..self.setting.requests[request].ends.len() as u8 {
            let ended = Asked { phase: Phase::Ended(end), ..state.asked[request] };
            next.push((Step::Dispatches { request, end }, with(state, request, ended)));
        }
    }

    fn give_backs(&mut self, state: &State, request: usize, next: &mut Next) {
        let asked = state.asked[request];
        if asked.phase != Phase::GaveBack {
            return;
        }
        for part in 0..self.plans[request][usize::from(asked.plan)].slots.len() {
            let op = self.plans[request][usize::from(asked.plan)].give_back[part];
            if bit(asked.landed, part) {
                self.close(state, request, part, op, Step::GivesBack { request, part }, next);
            }
        }
    }

    fn close(&mut self, state: &State, request: usize, part: usize, op: OpId, step: Step, next: &mut Next) {
        let slot = self.closing_slot(state, request, part);
        if let Some(counter) = self.arena.apply(op, state.counters[slot]) {
            next.push((step, with_counter(state, slot, counter)));
        }
    }

    fn fences(&mut self, state: &State, request: usize, next: &mut Next) {
        let asked = state.asked[request];
        let plan = usize::from(asked.plan);
        let parts = self.plans[request][plan].slots.len();
        let options = self.sweeps.options(&asked, parts);
        for part in (0..parts).filter(|part| bit(options.fence, *part)) {
            let (fence, slot) = (self.plans[request][plan].fence, self.plans[request][plan].slots[part]);
            let step = Step::Fences { request, part };
            match self.arena.apply(fence, state.counters[slot]) {
                Some(counter) => next.push((step, with_counter(state, slot, counter))),
                None if self.mutant == Some(Mutant::FenceLiveHolds) && !bit(asked.fenced, part) => {
                    let fenced = Asked { fenced: asked.fenced | 1 << part, ..asked };
                    next.push((step, with(state, request, fenced)));
                }
                None => {}
            }
        }
    }

    /// The line that the gateway settles with, as far as it has one.
    fn own_line(&self, asked: &Asked, request: usize) -> Option<u8> {
        match asked.phase {
            Phase::Abandoned => Some(VOID),
            Phase::Ended(end) => Some(self.plans[request][usize::from(asked.plan)].ends[usize::from(end)]),
            _ => None,
        }
    }

    /// The gateway's own line, by whoever delivers it, and those of the sweepers.
    fn puts(&mut self, state: &State, request: usize, next: &mut Next) {
        let asked = state.asked[request];
        if asked.line != 0 && self.mutant != Some(Mutant::PutUnconditionally) {
            return;
        }
        let plan = &self.plans[request][usize::from(asked.plan)];
        let options = self.sweeps.options(&asked, plan.slots.len());
        let swept = [options.void.then_some(VOID), options.estimate.then_some(ESTIMATE)];
        let own = self.own_line(&asked, request);
        for line in swept.into_iter().chain([own]).flatten().filter(|line| *line != asked.line) {
            let is_exact = plan.lines[usize::from(line) - 1].is_exact();
            let estimated = if is_exact { asked.estimated } else { asked.estimated | mark(line) };
            let put = Asked { line, estimated, ..asked };
            next.push((Step::Puts { request, line }, with(state, request, put)));
        }
    }

    /// CLOSE at every line that anybody may have seen.
    fn closes(&mut self, state: &State, request: usize, next: &mut Next) {
        let asked = state.asked[request];
        let mut seen = asked.estimated;
        if asked.line != 0 {
            seen |= mark(asked.line);
        }
        if self.mutant == Some(Mutant::CloseBeforeLine) {
            seen |= self.own_line(&asked, request).map_or(0, mark);
        }
        let plan = usize::from(asked.plan);
        for line in (1..=8).filter(|line| bit(seen, usize::from(*line) - 1)) {
            for part in 0..self.plans[request][plan].slots.len() {
                let op = self.plans[request][plan].lines[usize::from(line) - 1].close[part];
                self.close(state, request, part, op, Step::Closes { request, part, line }, next);
            }
        }
    }

    /// LATE SETTLE: one transaction over the line and all counters. That all are closed first
    /// brings it about; that it does no harm rests on its conditions alone.
    fn corrections(&mut self, state: &State, request: usize, next: &mut Next) {
        let asked = state.asked[request];
        let plan = usize::from(asked.plan);
        let parts = self.plans[request][plan].slots.len();
        let sweeps = self.mutant == Some(Mutant::SweepCorrects) && self.sweeps.options(&asked, parts).void;
        let own = self.own_line(&asked, request).into_iter().chain(sweeps.then_some(VOID));
        let corrects_any = self.mutant == Some(Mutant::CorrectAnyLine);
        for exact in own.collect::<Vec<_>>() {
            for estimate in (1..=8).filter(|line| bit(asked.estimated, usize::from(*line) - 1)) {
                if asked.line != estimate && !corrects_any {
                    continue;
                }
                let entry = &self.plans[request][plan].lines[usize::from(estimate) - 1];
                let Some(writes) = entry.correct[usize::from(exact) - 1].clone() else { continue };
                let mut corrected = with(state, request, Asked { line: exact, ..asked });
                let all = writes.iter().enumerate().all(|(part, write)| {
                    let slot = self.plans[request][plan].slots[part];
                    let next = self.arena.apply(*write, corrected.counters[slot]);
                    next.inspect(|next| corrected.counters[slot] = *next).is_some()
                });
                if all {
                    next.push((Step::Corrects { request, estimate, exact }, corrected));
                }
            }
        }
    }
}

fn mark(line: u8) -> u8 {
    1 << (line - 1)
}

fn with(state: &State, request: usize, asked: Asked) -> State {
    let mut next = *state;
    next.asked[request] = asked;
    next
}

fn with_counter(state: &State, slot: usize, counter: u16) -> State {
    let mut next = *state;
    next.counters[slot] = counter;
    next
}

fn gives_up(state: &State, request: usize, abandons: bool) -> (Step, State) {
    let phase = if abandons { Phase::Abandoned } else { Phase::GaveBack };
    let given_up = Asked { phase, ..state.asked[request] };
    (Step::GivesUp { request, abandons }, with(state, request, given_up))
}
