//! Simulated time: the runtime's paused clock, seen by each process with its own skew.

use std::time::Duration;

use shared::domain::time::Timestamp;
use shared::ports::Clock;
use tokio::time::Instant;

#[derive(Clone, Copy, Debug)]
pub(crate) struct SimClock {
    /// What time it is at `start`.
    pub(crate) base: Timestamp,
    pub(crate) start: Instant,
    /// Milliseconds that it is ahead of the true time.
    pub(crate) skew: i64,
}

impl SimClock {
    pub(crate) fn skewed(self, skew: i64) -> Self {
        SimClock { skew, ..self }
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let now = self.base + self.start.elapsed();
        let off = Duration::from_millis(self.skew.unsigned_abs());
        if self.skew < 0 { now - off } else { now + off }
    }
}
