//! Sweeps: what those who look at any moment may be led to, and the one fair sweep of a dead world.

use shared::domain::settlement::{Verdict, View, verdict};

use super::mutant::Mutant;
use super::state::{Asked, Phase, State, bit};
use super::world::{ESTIMATE, VOID, World};

/// Parts of a plan at most.
const PARTS: usize = 3;

/// What sweepers may do about one hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Parts whose counter may be fenced.
    pub(crate) fence: u8,
    pub(crate) void: bool,
    pub(crate) estimate: bool,
}

/// The product's verdict over every combination of views, computed once.
pub(crate) struct Sweeps {
    mutant: Option<Mutant>,
    /// By the number of parts and the three masks.
    memo: Vec<Option<Options>>,
}

impl Sweeps {
    pub(crate) fn new(mutant: Option<Mutant>) -> Self {
        Sweeps { mutant, memo: vec![None; 4 << (3 * PARTS)] }
    }

    /// What `asked` allows anybody who found the hold while there was no line.
    pub(crate) fn options(&mut self, asked: &Asked, parts: usize) -> Options {
        if !asked.known {
            return Options::default();
        }
        let masks = [asked.landed, asked.absent, asked.fenced];
        let at = masks.iter().fold(parts, |at, mask| at << PARTS | usize::from(*mask));
        if let Some(options) = self.memo[at] {
            return options;
        }
        let options = self.compute(masks, parts);
        self.memo[at] = Some(options);
        options
    }

    fn compute(&self, [landed, absent, fenced]: [u8; 3], parts: usize) -> Options {
        let mut options = Options::default();
        let mut views = vec![View::Live; parts];
        for code in 0..3_usize.pow(parts as u32) {
            let mut digits = code;
            let mut seen = true;
            for (part, view) in views.iter_mut().enumerate() {
                let possible = [(View::Live, landed), (View::Absent, absent), (View::Fenced, fenced)];
                let (kind, mask) = possible[digits % 3];
                *view = kind;
                seen &= bit(mask, part);
                digits /= 3;
            }
            // The hold that made the sweeper look is live.
            if seen && views.contains(&View::Live) {
                self.add(&mut options, &views);
            }
        }
        options
    }

    fn add(&self, options: &mut Options, views: &[View]) {
        match self.verdict(views) {
            Verdict::Fence(part) => options.fence |= 1 << part,
            Verdict::Void => options.void = true,
            Verdict::Estimate => options.estimate = true,
        }
    }

    /// The product's verdict, unless a mutant has another.
    fn verdict(&self, views: &[View]) -> Verdict {
        match self.mutant {
            Some(Mutant::VoidOnExpiry) => Verdict::Void,
            Some(Mutant::EstimateBlindly) => Verdict::Estimate,
            Some(Mutant::VoidOnPlainRead | Mutant::DeadlineForFloor) => {
                let trusting = |view: &View| if *view == View::Absent { View::Fenced } else { *view };
                verdict(&views.iter().map(trusting).collect::<Vec<_>>())
            }
            _ => verdict(views),
        }
    }
}

impl World {
    /// One fair sweep: every hold that is found anywhere is swept to its end.
    pub(crate) fn sweep(&mut self, state: &State) -> State {
        let mut swept = *state;
        for request in 0..self.setting.requests.len() {
            let asked = swept.asked[request];
            if asked.phase == Phase::Idle {
                continue;
            }
            let parts = self.plans[request][usize::from(asked.plan)].slots.len();
            let found = (0..parts).any(|part| self.view(&swept, request, part) == View::Live);
            if found {
                self.sweep_hold(&mut swept, request);
            }
        }
        swept
    }

    fn sweep_hold(&mut self, state: &mut State, request: usize) {
        if state.asked[request].line == 0 {
            let line = self.post(state, request);
            state.asked[request].line = line;
        }
        let asked = state.asked[request];
        let parts = self.plans[request][usize::from(asked.plan)].slots.len();
        for part in 0..parts {
            let close =
                self.plans[request][usize::from(asked.plan)].lines[usize::from(asked.line) - 1].close[part];
            let slot = self.closing_slot(state, request, part);
            if let Some(next) = self.arena.apply(close, state.counters[slot]) {
                state.counters[slot] = next;
            }
        }
    }

    /// The number of the line that the sweep posts, having fenced what it missed.
    fn post(&mut self, state: &mut State, request: usize) -> u8 {
        let plan = usize::from(state.asked[request].plan);
        let parts = self.plans[request][plan].slots.len();
        let mut views: Vec<View> = (0..parts).map(|part| self.view(state, request, part)).collect();
        loop {
            match self.sweeps.verdict(&views) {
                Verdict::Void => return VOID,
                Verdict::Estimate => return ESTIMATE,
                Verdict::Fence(part) => {
                    let (fence, slot) =
                        (self.plans[request][plan].fence, self.plans[request][plan].slots[part]);
                    if let Some(next) = self.arena.apply(fence, state.counters[slot]) {
                        state.counters[slot] = next;
                    }
                    views[part] = self.view(state, request, part);
                }
            }
        }
    }

    /// What a read of the part's counter says now.
    pub(crate) fn view(&self, state: &State, request: usize, part: usize) -> View {
        let asked = &state.asked[request];
        let slot = self.plans[request][usize::from(asked.plan)].slots[part];
        self.arena.facts(state.counters[slot]).views[request]
    }

    /// The counter that closers name for the part: the hold's own, but for one mutant.
    pub(crate) fn closing_slot(&self, state: &State, request: usize, part: usize) -> usize {
        let slot = self.plans[request][usize::from(state.asked[request].plan)].slots[part];
        match (self.mutant, self.setting.next_period) {
            (Some(Mutant::PresentPeriod), Some(next)) if state.rolled && slot + 1 == next => next,
            _ => slot,
        }
    }
}
