//! An observer that keeps what it is told.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use shared::domain::event::RequestEvent;
use shared::domain::trace::Sampler;
use shared::ports::Observe;

/// Every event, in the order in which their requests were over.
#[derive(Debug, Default)]
pub struct Watching {
    sampler: Option<Sampler>,
    events: Mutex<Vec<RequestEvent>>,
}

impl Watching {
    pub fn new(sampler: Option<Sampler>) -> Arc<Self> {
        Arc::new(Watching { sampler, events: Mutex::default() })
    }

    /// What it was told since it was last asked.
    pub fn take(&self) -> Vec<RequestEvent> {
        std::mem::take(&mut self.events.lock().expect("nobody panics with it"))
    }

    /// The one event.
    pub fn one(&self) -> RequestEvent {
        let mut events = self.take();
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }
}

#[async_trait]
impl Observe for Watching {
    fn sampler(&self) -> Option<Sampler> {
        self.sampler
    }

    fn record(&self, event: RequestEvent) {
        self.events.lock().expect("nobody panics with it").push(event);
    }

    async fn flush(&self) {}
}
