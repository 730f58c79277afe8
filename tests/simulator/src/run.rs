//! One world, from its seed to its end.

use std::fmt;
use std::sync::Arc;

use tokio::runtime::Builder;
use tokio::time::sleep;

use super::admins;
use super::books::Violation;
use super::broken::Broken;
use super::client;
use super::finale;
use super::plan::Plan;
use super::requests::Ask;
use super::sweepers;
use super::tally::Tally;
use super::world::World;

/// How a world is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// At most so many of its requests.
    pub requests: Option<usize>,
    /// Keeps the last steps, which costs more than the steps.
    pub is_told: bool,
    /// Stores that break the protocol.
    pub broken: Option<Broken>,
    /// Nothing goes wrong but that whoever is there at this moment is killed, counted from zero.
    pub crash_at: Option<u64>,
}

/// What became of a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub seed: u64,
    pub requests: usize,
    pub tally: Tally,
    pub violation: Option<Violation>,
    /// The last steps before the violation, where they were kept.
    pub steps: Vec<String>,
    /// How many moments there were at which a process could be killed.
    pub moments: u64,
    /// Stands for everything that the stores held in the end.
    pub fingerprint: u64,
}

/// Runs the world of `seed`.
pub fn simulate(seed: u64, options: &Options) -> Outcome {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime without I/O");
    runtime.block_on(async {
        let (plan, dice) = Plan::draw(seed, options);
        let requests = plan.requests;
        let world = World::new(plan, dice, options).await;
        let over = live(&world).await;
        world.end();
        world.tally().worlds = 1;
        let violation = world.books.violation();
        debug_assert!(over || violation.is_some(), "a world stops early for a reason");
        Outcome {
            seed,
            requests,
            tally: world.tally().clone(),
            violation,
            steps: world.last_steps(),
            moments: world.moments(),
            fingerprint: finale::fingerprint(&world),
        }
    })
}

/// False when it was stopped by a violation.
async fn live(world: &Arc<World>) -> bool {
    let asks: Vec<Ask> =
        (0..world.plan.requests).map(|number| Ask::draw(&world.plan, number, &world.callers)).collect();
    let clients: Vec<_> = asks
        .into_iter()
        .map(|ask| {
            let world = Arc::clone(world);
            tokio::spawn(async move {
                client::ask(&world, ask).await;
            })
        })
        .collect();
    sweepers::start(world);
    admins::start(world);
    for client in clients {
        let ended = client.await;
        world.books.holds_that(ended.is_ok(), "honest end", || format!("a caller was stopped: {ended:?}"));
        if world.books.violation().is_some() {
            return false;
        }
    }
    sleep(finale::EVERYTHING_LANDS).await;
    if world.books.violation().is_some() {
        return false;
    }
    world.calm_down();
    finale::judge(world).await;
    true
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(violation) = &self.violation else {
            return write!(f, "seed {}: nothing is violated\n{}", self.seed, self.tally);
        };
        writeln!(f, "seed {} with {} requests violates {violation}", self.seed, self.requests)?;
        for step in &self.steps {
            writeln!(f, "  {step}")?;
        }
        write!(f, "replay: make simulate SEED={} REQUESTS={}", self.seed, self.requests)
    }
}
