//! A provider that answers at once.

use std::sync::Mutex;

use async_trait::async_trait;
use shared::config::ModelName;
use shared::domain::reservation::Reservation;
use shared::ports::{AttemptError, ChunkStream, Upstream};
use shared::protocol::canonical::{ChatRequest, Chunk, Delta, FinishReason};
use shared::protocol::outbound::{Flavour, Outbound};
use tokio::time::Instant;

/// Answers at once and notes when it was asked.
#[derive(Debug, Default)]
pub struct Noting(Mutex<Option<Instant>>);

impl Noting {
    /// When it was last asked, if it was.
    pub fn asked_at(&self) -> Option<Instant> {
        *self.0.lock().expect("one thread")
    }
}

#[async_trait]
impl Upstream for Noting {
    async fn open(&self, _: &Reservation, _: &ChatRequest) -> Result<ChunkStream, AttemptError> {
        *self.0.lock().expect("one thread") = Some(Instant::now());
        let delta =
            Delta { content: Some("hi".to_owned()), finish: Some(FinishReason::Stop), ..Delta::default() };
        let chunk = Chunk { deltas: vec![delta], ..Chunk::default() };
        Ok(Box::pin(futures_util::stream::iter([Ok(chunk)])))
    }

    fn outbound(&self, _: &ModelName) -> Option<Outbound> {
        Some(Outbound::OpenAi(Flavour::Compatible))
    }
}
