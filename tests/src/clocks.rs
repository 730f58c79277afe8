//! Clocks that do not tell the time of day.

use std::sync::atomic::{AtomicI64, Ordering};
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

/// A clock that stands still until it is put forward.
pub struct Set(AtomicI64);

impl Set {
    pub fn at(at: Timestamp) -> Self {
        Set(AtomicI64::new(at.millis()))
    }

    pub fn forward(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).expect("it is short"), Ordering::SeqCst);
    }
}

impl Clock for Set {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
