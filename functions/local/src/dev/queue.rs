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

/// Carries commands out as SQS and `usage` would: again until it succeeds, with growing pauses, and
/// each on its own, so that one that keeps failing holds up no other.
pub(super) async fn consume(usage: Arc<Usage>, mut messages: UnboundedReceiver<String>) {
    while let Some(body) = messages.recv().await {
        tokio::spawn(carry_out(Arc::clone(&usage), body));
    }
}

async fn carry_out(usage: Arc<Usage>, body: String) {
    // For about a minute.
    const TRIES: u32 = 10;
    for attempt in 0..TRIES {
        match usage::settle_message(&usage, &body).await {
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, attempt, "settlement from the queue failed"),
        }
        tokio::time::sleep(Duration::from_millis(50) * 2_u32.pow(attempt)).await;
    }
}

#[cfg(test)]
mod tests {
    use shared::clock::SystemClock;
    use shared::domain::id::AttemptId;
    use shared::domain::key::Pepper;
    use shared::domain::ledger::{LINE_VERSION, Outcome, Quality};
    use shared::domain::money::NanoUsd;
    use shared::domain::time::Timestamp;
    use shared::domain::usage::TokenUsage;
    use shared::memory::MemoryStore;
    use shared::ports::WriteLedger;

    use super::*;

    fn usage_over(store: &Arc<MemoryStore>) -> Arc<Usage> {
        Arc::new(Usage {
            keys: store.clone(),
            pepper: Pepper { version: 1, secret: Vec::new() },
            clock: Arc::new(SystemClock),
            lines: store.clone(),
            ledger: store.clone(),
            counters: store.clone(),
        })
    }

    fn line() -> LedgerLine {
        let id = AttemptId::new(Timestamp::from_millis(1), 1);
        LedgerLine {
            version: LINE_VERSION,
            id,
            request: id,
            tenant: "t".to_owned(),
            key_id: "k".to_owned(),
            user: None,
            model: "demo/ok".to_owned(),
            price: "p".to_owned(),
            quality: Quality::Exact,
            amount: NanoUsd::from_nano(1),
            reserved: NanoUsd::from_nano(1),
            usage: TokenUsage::NONE,
            outcome: Outcome::Completed,
            items: Vec::new(),
            at: Timestamp::from_millis(1),
        }
    }

    #[tokio::test]
    async fn a_command_that_keeps_failing_holds_up_no_other() {
        let store = Arc::new(MemoryStore::default());
        let (queue, messages) = queue();
        tokio::spawn(consume(usage_over(&store), messages));
        queue.0.send("no settle command".to_owned()).expect("open");
        queue.send(&line()).await.expect("open");
        let settled = async {
            while store.find("t", line().id).await.expect("memory").is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), settled).await.expect("settled beside the other");
    }
}
