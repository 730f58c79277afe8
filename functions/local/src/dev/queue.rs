//! The queues inside one process: what SQS and the functions `usage` and `indexer` are in AWS.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use shared::app::semantic::Indexer;
use shared::domain::ledger::LedgerLine;
use shared::ports::{IndexJob, IndexQueue, SettleQueue, StoreError};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use usage::Usage;

/// The sending end of either.
pub(super) struct LocalQueue(UnboundedSender<String>);

/// The two ends.
pub(super) fn queue() -> (LocalQueue, UnboundedReceiver<String>) {
    let (sender, receiver) = unbounded_channel();
    (LocalQueue(sender), receiver)
}

#[async_trait]
impl SettleQueue for LocalQueue {
    async fn send(&self, line: &LedgerLine) -> Result<(), StoreError> {
        self.put(line)
    }
}

#[async_trait]
impl IndexQueue for LocalQueue {
    async fn send(&self, job: &IndexJob) -> Result<(), StoreError> {
        self.put(job)
    }
}

impl LocalQueue {
    fn put(&self, message: &impl Serialize) -> Result<(), StoreError> {
        let body = serde_json::to_string(message).map_err(|error| StoreError::Rejected(error.to_string()))?;
        self.0.send(body).map_err(|_| StoreError::Rejected("the queue is closed".to_owned()))
    }
}

/// Carries commands out as SQS and `usage` would.
pub(super) async fn consume(usage: Arc<Usage>, messages: UnboundedReceiver<String>) {
    let settle = move |body: Arc<str>| {
        let usage = Arc::clone(&usage);
        async move { usage::settle_message(&usage, &body).await }
    };
    deliver(messages, ABREAST, settle).await;
}

/// Does jobs as SQS and `indexer` would.
pub(super) async fn index(indexer: Arc<Indexer>, messages: UnboundedReceiver<String>) {
    let take = move |body: Arc<str>| {
        let indexer = Arc::clone(&indexer);
        async move { indexer::take(&indexer, &body).await.map(|_| ()) }
    };
    // The embedder takes one text after another. A question that somebody waits for would have to wait
    // for all jobs that were begun before it.
    deliver(messages, 1, take).await;
}

/// Settlements that are tried at a time, as a queue's consumers are limited in AWS: where the store is
/// slow, more would only keep it so.
const ABREAST: usize = 8;

/// Hands out each message until it is taken, with growing pauses in which others have their turn, so
/// that one that keeps failing holds up no other.
async fn deliver<F, R, E>(mut messages: UnboundedReceiver<String>, abreast: usize, take: F)
where
    F: Fn(Arc<str>) -> R + Clone + Send + 'static,
    R: Future<Output = Result<(), E>> + Send,
    E: fmt::Display + Send,
{
    // For about a minute.
    const TRIES: u32 = 10;
    let turns = Arc::new(Semaphore::new(abreast));
    while let Some(body) = messages.recv().await {
        let (take, body, turns) = (take.clone(), Arc::from(body), Arc::clone(&turns));
        tokio::spawn(async move {
            for attempt in 0..TRIES {
                let turn = turns.acquire().await;
                match take(Arc::clone(&body)).await {
                    Ok(()) => return,
                    Err(error) => tracing::warn!(%error, attempt, "a message of the queue is not done"),
                }
                drop(turn);
                tokio::time::sleep(Duration::from_millis(50) * 2_u32.pow(attempt)).await;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_command_that_keeps_failing_holds_up_no_other() {
        let (queue, messages) = queue();
        let (taken, mut done) = unbounded_channel();
        let take = move |body: Arc<str>| {
            let taken = taken.clone();
            async move {
                match &*body {
                    "good" => taken.send(body).map_err(|error| error.to_string()),
                    _ => Err("no settle command".to_owned()),
                }
            }
        };
        tokio::spawn(deliver(messages, ABREAST, take));
        for body in ["bad", "good"] {
            queue.0.send(body.to_owned()).expect("open");
        }
        let first = tokio::time::timeout(Duration::from_secs(5), done.recv()).await;
        assert_eq!(first.expect("it waits for no other").as_deref(), Some("good"));
    }

    #[tokio::test]
    async fn no_more_commands_are_tried_at_a_time_than_the_store_may_be_asked() {
        let (queue, messages) = queue();
        let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (taken, mut done) = unbounded_channel();
        let seen = Arc::clone(&most);
        let take = move |_: Arc<str>| {
            let (open, most, taken) = (Arc::clone(&open), Arc::clone(&seen), taken.clone());
            async move {
                most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(2)).await;
                open.fetch_sub(1, Ordering::SeqCst);
                taken.send(()).map_err(|error| error.to_string())
            }
        };
        tokio::spawn(deliver(messages, ABREAST, take));
        for _ in 0..5 * ABREAST {
            queue.0.send("good".to_owned()).expect("open");
        }
        for _ in 0..5 * ABREAST {
            done.recv().await.expect("each is taken");
        }
        assert_eq!(most.load(Ordering::SeqCst), ABREAST);
    }
}
