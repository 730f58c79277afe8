//! What must hold: some at every state, the rest once a fair sweep has run.

use shared::domain::settlement::View;

use super::state::{Asked, Phase, State};
use super::world::{Line, World};

/// What was violated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// No counter goes below zero.
    NeverNegative,
    /// In every scope, what remains and what providers billed stay within the cap.
    WithinCap,
    /// A refused request is never charged.
    RefusedIsFree,
    /// An exact line never changes.
    LinesStay,
    /// Swept: no hold is left open.
    NoHoldLeft,
    /// Swept: each counter's cap less what remains is the sum of the lines charged to it.
    BooksBalance,
    /// Swept: every billed attempt has a line, exact or not lower than the bill.
    BillIsCovered,
}

impl World {
    /// What the step violates, whether or not its end was known before.
    pub(crate) fn violated_by_step(&self, before: &State, after: &State) -> Option<Property> {
        self.line_changed(before, after).then_some(Property::LinesStay)
    }

    /// What the state violates, if anything.
    pub(crate) fn violated(&mut self, next: &State) -> Option<Property> {
        let broken = [
            (self.is_negative(next), Property::NeverNegative),
            (self.passes_cap(next), Property::WithinCap),
            (self.refused_pays(next), Property::RefusedIsFree),
        ];
        let at_once = broken.into_iter().find(|(broken, _)| *broken).map(|(_, property)| property);
        at_once.or_else(|| {
            let swept = self.sweep(next);
            let broken = [
                (self.has_holds(&swept), Property::NoHoldLeft),
                (self.is_unbalanced(&swept), Property::BooksBalance),
                (self.is_uncovered(&swept), Property::BillIsCovered),
            ];
            broken.into_iter().find(|(broken, _)| *broken).map(|(_, property)| property)
        })
    }

    fn remaining(&self, state: &State, slot: usize) -> i64 {
        let facts = self.arena.facts(state.counters[slot]);
        facts.remaining.unwrap_or(self.setting.slots[slot].cap)
    }

    fn line(&self, asked: &Asked, request: usize) -> Option<&Line> {
        let lines = &self.plans.get(request)?.get(usize::from(asked.plan))?.lines;
        lines.get(usize::from(asked.line).checked_sub(1)?)
    }

    fn is_negative(&self, state: &State) -> bool {
        (0..self.setting.slots.len()).any(|slot| self.remaining(state, slot) < 0)
    }

    fn passes_cap(&self, state: &State) -> bool {
        let slots = &self.setting.slots;
        (0..slots.len()).any(|scope| {
            let of_scope = |slot: usize| self.scopes[slot] == scope;
            let within = (0..slots.len()).filter(|slot| of_scope(*slot));
            let room: i64 = within.map(|slot| slots[slot].cap - self.remaining(state, slot)).sum();
            let requests = state.asked.iter().enumerate();
            let billed = requests.filter_map(|(request, asked)| {
                let Phase::Ended(end) = asked.phase else { return None };
                let plan = &self.plans[request][usize::from(asked.plan)];
                let counted = plan.slots.iter().any(|slot| of_scope(*slot));
                counted.then(|| self.setting.requests[request].ends[usize::from(end)].billed)
            });
            billed.sum::<i64>() > room
        })
    }

    fn refused_pays(&self, state: &State) -> bool {
        state.asked.iter().enumerate().any(|(request, asked)| {
            let line = self.line(asked, request);
            asked.phase == Phase::GaveBack && line.is_some_and(|line| line.entry.amount.nano() != 0)
        })
    }

    fn line_changed(&self, state: &State, next: &State) -> bool {
        let both = state.asked.iter().zip(&next.asked).enumerate();
        both.into_iter().any(|(request, (before, after))| {
            before.line != after.line && self.line(before, request).is_some_and(Line::is_exact)
        })
    }

    fn has_holds(&self, state: &State) -> bool {
        (0..self.setting.slots.len())
            .any(|slot| self.arena.facts(state.counters[slot]).views.contains(&View::Live))
    }

    fn is_unbalanced(&self, state: &State) -> bool {
        (0..self.setting.slots.len()).any(|slot| {
            let charged = state.asked.iter().enumerate().filter_map(|(request, asked)| {
                let line = self.line(asked, request)?;
                let slots = &self.plans[request][usize::from(asked.plan)].slots;
                let shares = slots.iter().zip(&line.shares).filter(|(other, _)| **other == slot);
                Some(shares.map(|(_, share)| *share).sum::<i64>())
            });
            self.setting.slots[slot].cap - self.remaining(state, slot) != charged.sum::<i64>()
        })
    }

    fn is_uncovered(&self, state: &State) -> bool {
        state.asked.iter().enumerate().any(|(request, asked)| {
            let Phase::Ended(end) = asked.phase else { return false };
            let billed = self.setting.requests[request].ends[usize::from(end)].billed;
            let Some(line) = self.line(asked, request) else { return true };
            let amount = line.entry.amount.nano();
            if line.is_exact() { amount != billed } else { amount < billed }
        })
    }
}
