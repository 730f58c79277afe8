//! What can be killed: an instance of the gateway, or one delivery of the settle queue.
//!
//! A killed process is not dropped: nothing runs when a machine stops, destructors included. Each
//! await point of the `app` code is a call of a port, a timer or a channel; from its death on, every
//! port call of a process stays pending and touches nothing, so whatever its timers still start
//! ends before it has any effect.

use tokio::sync::watch;

#[derive(Debug)]
pub(crate) struct Process {
    dead: watch::Sender<bool>,
    /// How far its clock is off, in milliseconds.
    pub(crate) skew: i64,
}

impl Process {
    pub(crate) fn new(skew: i64) -> Self {
        Process { dead: watch::Sender::new(false), skew }
    }

    pub(crate) fn is_dead(&self) -> bool {
        *self.dead.borrow()
    }

    pub(crate) fn kill(&self) {
        self.dead.send_replace(true);
    }

    /// Returns once it is dead.
    pub(crate) async fn died(&self) {
        let mut dead = self.dead.subscribe();
        // The sender lives as long as `self`.
        let _ = dead.wait_for(|dead| *dead).await;
    }
}
