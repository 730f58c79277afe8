//! Breadth first over every reachable state.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

use super::mutant::Mutant;
use super::properties::Property;
use super::setting::Setting;
use super::state::State;
use super::steps::Step;
use super::world::World;

/// What a search came to.
#[derive(Debug)]
pub struct Outcome {
    pub setting: &'static str,
    /// Distinct states.
    pub states: usize,
    /// Steps looked at, with those to states known already.
    pub steps: usize,
    /// Distinct counters.
    pub counters: usize,
    pub violation: Option<Violation>,
}

/// A violated property and a shortest way to it.
#[derive(Debug)]
pub struct Violation {
    pub property: Property,
    pub trace: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} after {} steps", self.property, self.trace.len())?;
        self.trace.iter().enumerate().try_for_each(|(n, step)| write!(f, "\n  {:2}. {step}", n + 1))
    }
}

/// Packed states are as good as random in their low bits once multiplied.
#[derive(Default)]
struct Multiply(u64);

impl Hasher for Multiply {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let mixed = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ mixed >> 29;
    }

    fn write_u128(&mut self, word: u128) {
        self.write_u64(word as u64);
        self.write_u64((word >> 64) as u64);
    }
}

type Hash = BuildHasherDefault<Multiply>;

/// Explores `setting` under the protocol, or under a mutant of it, to the end or to the first
/// violation.
pub fn search(setting: Setting, mutant: Option<Mutant>) -> Outcome {
    let mut outcome = explore(&mut World::new(setting.clone(), mutant), |_, _, _| {});
    if let Some((violation, last)) = &mut outcome.1 {
        // Once more, the same way, now noting where each state came from.
        let mut origins: HashMap<u128, (u128, Step), Hash> = HashMap::default();
        let mut world = World::new(setting, mutant);
        explore(&mut world, |before, step, after| {
            origins.entry(after).or_insert((before, step));
        });
        violation.trace = trace(&world, &origins, *last);
    }
    Outcome { violation: outcome.1.map(|(violation, _)| violation), ..outcome.0 }
}

/// The search itself. `found` is told of the step to every new state.
fn explore(
    world: &mut World,
    mut found: impl FnMut(u128, Step, u128),
) -> (Outcome, Option<(Violation, Last)>) {
    let start = world.start().pack();
    let mut seen: HashSet<u128, Hash> = HashSet::from_iter([start]);
    let (mut level, mut steps, mut next) = (vec![start], 0, Vec::new());
    let mut violation = None;
    'levels: while !level.is_empty() {
        let mut below = Vec::new();
        for packed in level {
            let state = State::unpack(packed);
            next.clear();
            world.steps(&state, &mut next);
            steps += next.len();
            for (step, after) in &next {
                let to = after.pack();
                let violated = match world.violated_by_step(&state, after) {
                    None if !seen.insert(to) => continue,
                    None => world.violated(after),
                    violated => violated,
                };
                if let Some(property) = violated {
                    let last = Last { before: packed, step: *step };
                    violation = Some((Violation { property, trace: Vec::new() }, last));
                    break 'levels;
                }
                found(packed, *step, to);
                below.push(to);
            }
        }
        level = below;
    }
    let (setting, counters) = (world.setting.name, world.arena.len());
    (Outcome { setting, states: seen.len(), steps, counters, violation: None }, violation)
}

/// The step that violates something.
#[derive(Clone, Copy)]
struct Last {
    before: u128,
    step: Step,
}

fn trace(world: &World, origins: &HashMap<u128, (u128, Step), Hash>, last: Last) -> Vec<String> {
    let mut steps = vec![(last.before, last.step)];
    while let Some(origin) = steps.last().and_then(|(at, _)| origins.get(at)) {
        steps.push(*origin);
    }
    steps.iter().rev().map(|(before, step)| world.tell(&State::unpack(*before), *step)).collect()
}
