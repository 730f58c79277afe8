//! The settle queue inside one process: what SQS and the `usage` function are in AWS.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared::domain::ledger::LedgerLine;
use shared::ports::{SettleQueue, StoreError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use usage::Usage;

/// The sending end. Commands are few: one for each settlement that took too long.
pub(super) struct LocalQueue(UnboundedSender<String>);

/// The two ends.
pub(super) fn queue() -> (LocalQueue, UnboundedReceiver<String>) {
    let (sender, receiver) = unbounded_channel();
    (LocalQueue(sender), receiver)
}

#[async_trait]
impl SettleQueue for LocalQueue {
    async fn send(&self, line: &LedgerLine) -> Result<(), StoreError> {
        let body = serde_json::to_string(line).map_err(|error| StoreError::Rejected(error.to_string()))?;
        self.0.send(body).map_err(|_| StoreError::Rejected("the settle queue is closed".to_owned()))
    }
}

/// Carries commands out as SQS and `usage` would: again until it succeeds, with growing pauses.
pub(super) async fn consume(usage: Arc<Usage>, mut messages: UnboundedReceiver<String>) {
    const TRIES: u32 = 8;
    while let Some(body) = messages.recv().await {
        for attempt in 0..TRIES {
            match usage::settle_message(&usage, &body).await {
                Ok(()) => break,
                Err(error) => tracing::warn!(%error, attempt, "settlement from the queue failed"),
            }
            tokio::time::sleep(Duration::from_millis(50) * 2_u32.pow(attempt)).await;
        }
    }
}
