//! What telling of requests needs of the outside.

use async_trait::async_trait;

use crate::domain::event::RequestEvent;
use crate::domain::trace::Sampler;

/// Takes the events of requests.
#[async_trait]
pub trait Observe: Send + Sync {
    /// Which traces are recorded; none where nobody takes them.
    fn sampler(&self) -> Option<Sampler>;
    /// Takes the event of a request that is over. Nothing here waits or fails.
    fn record(&self, event: RequestEvent);
    /// Sends what was taken and not sent yet. Returns when it is out, or given up: soon, whatever the
    /// receiver does.
    async fn flush(&self);
}
