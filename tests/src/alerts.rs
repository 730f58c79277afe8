//! Watching over a store in memory.

use std::sync::Arc;

use shared::app::alert::{Limits, Watch};
use shared::config::Config;
use shared::domain::alert::Route;
use shared::memory::MemoryStore;
use shared::ports::SendAlert;

/// A process of its own, which remembers nothing, under the default configuration.
pub fn watch(store: &Arc<MemoryStore>, sinks: Arc<dyn SendAlert>, routes: Vec<Route>) -> Watch {
    let limits = Limits::of(&Config::default());
    let (outbox, keys) = (store.clone(), store.clone());
    Watch::new(outbox, keys, store.clone(), store.clone(), None, sinks, routes, limits)
}

/// Nobody is told.
#[derive(Debug)]
pub struct NoSinks;

#[async_trait::async_trait]
impl SendAlert for NoSinks {
    async fn send(
        &self,
        sink: &str,
        _: &shared::domain::alert::Alert,
        _: shared::domain::alert::Telling,
    ) -> Result<(), shared::domain::alert::SendError> {
        panic!("there is no sink {sink}")
    }
}
