//! Clocks that do not tell the time of day.

use std::time::Duration;

use shared::clock::SystemClock;
use shared::domain::time::Timestamp;
use shared::ports::Clock;

/// A clock that runs ahead of the system's.
pub struct Ahead(pub Duration);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now() + self.0
    }
}

/// A clock that stands still.
pub struct At(pub Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}
