//! The way to the stores, and everything that goes wrong on it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use shared::ports::StoreError;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::plan::Faults;
use super::process::Process;
use super::world::World;

/// The longest that a write may be under way, in milliseconds: beyond every deadline.
pub(crate) const LATE_MAX: u64 = 1_800_000;

/// One process's way to the stores. Implements every store port, see `ports.rs`.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) world: Arc<World>,
    pub(crate) process: Arc<Process>,
}

/// Which copies of a call there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    /// Sent once; its one copy may still come late.
    Once,
    /// May be sent again by any layer, at any time.
    Again,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Prompt,
    Throttled,
    Lost,
    Unheard,
    Late,
    Twice,
}

/// What a call does at the store, with its arguments.
pub(crate) type Work<A, T> = fn(Arc<World>, A) -> BoxFuture<'static, Result<T, StoreError>>;

type Reply<T> = oneshot::Receiver<Result<T, StoreError>>;

impl Wire {
    /// One call. What has been sent arrives, whatever becomes of its sender meanwhile.
    pub(crate) async fn call<A, T>(
        &self,
        what: &'static str,
        kind: Kind,
        argument: A,
        work: Work<A, T>,
    ) -> Result<T, StoreError>
    where
        A: Clone + Send + 'static,
        T: Send + 'static,
    {
        self.pause().await;
        let (faults, fate) = (self.world.faults(), self.fate(kind));
        if fate != Fate::Prompt {
            self.world.tell(|| format!("{what}: {fate:?}"));
        }
        let there = self.latency(&faults);
        if fate == Fate::Throttled {
            sleep(there).await;
            return Err(StoreError::Rejected("throttled".to_owned()));
        }
        let reply = self.send(fate, there, argument, work);
        self.pause().await;
        let Some(reply) = reply else {
            sleep(self.world.dice.millis(50..=1_000)).await;
            self.pause().await;
            return Err(StoreError::NoReply("no reply in time".to_owned()));
        };
        let reply = reply.await;
        sleep(self.latency(&faults)).await;
        self.pause().await;
        reply.unwrap_or_else(|_| Err(StoreError::NoReply("the world ended".to_owned())))
    }

    /// Every copy that arrives; returns the one whose reply is heard.
    fn send<A, T>(&self, fate: Fate, there: Duration, argument: A, work: Work<A, T>) -> Option<Reply<T>>
    where
        A: Clone + Send + 'static,
        T: Send + 'static,
    {
        match fate {
            Fate::Throttled | Fate::Lost => return None,
            Fate::Unheard => drop(self.deliver(there, argument, work)),
            Fate::Late => drop(self.deliver(self.late(), argument, work)),
            Fate::Twice => {
                drop(self.deliver(self.late(), argument.clone(), work));
                return Some(self.deliver(there, argument, work));
            }
            Fate::Prompt => return Some(self.deliver(there, argument, work)),
        }
        None
    }

    fn deliver<A: Send + 'static, T: Send + 'static>(
        &self,
        after: Duration,
        argument: A,
        work: Work<A, T>,
    ) -> Reply<T> {
        let (tell, heard) = oneshot::channel();
        let world = Arc::clone(&self.world);
        tokio::spawn(async move {
            sleep(after).await;
            // Nobody may listen any more.
            let _ = tell.send(work(world, argument).await);
        });
        heard
    }

    /// A moment at which the process may be killed, and at which one that is dead stops.
    pub(super) async fn pause(&self) {
        let world = &self.world;
        if !self.process.is_dead() && world.strikes() {
            world.tally().crashes += 1;
            world.tell(|| "a process is killed".to_owned());
            self.process.kill();
        }
        if self.process.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    fn latency(&self, faults: &Faults) -> Duration {
        let dice = &self.world.dice;
        if dice.chance(faults.slow) { dice.millis(200..=4_000) } else { dice.millis(0..=12) }
    }

    fn late(&self) -> Duration {
        Duration::from_millis(self.world.dice.magnitude(1, LATE_MAX))
    }

    fn fate(&self, kind: Kind) -> Fate {
        let (dice, faults, world) = (&self.world.dice, self.world.faults(), &self.world);
        if dice.chance(faults.throttled) {
            world.tally().throttled += 1;
            return Fate::Throttled;
        }
        if dice.chance(faults.lost) {
            world.tally().lost += 1;
            return Fate::Lost;
        }
        if kind != Kind::Read && dice.chance(faults.unheard) {
            world.tally().unheard += 1;
            return Fate::Unheard;
        }
        if kind != Kind::Read && dice.chance(faults.late) {
            world.tally().late += 1;
            return Fate::Late;
        }
        if kind == Kind::Again && dice.chance(faults.twice) {
            world.tally().twice += 1;
            return Fate::Twice;
        }
        Fate::Prompt
    }
}
