//! The queues, on SQS. A message is the ledger line or the job itself.

use async_trait::async_trait;
use serde::Serialize;

use super::errors::store_error;
use crate::domain::ledger::LedgerLine;
use crate::ports::{IndexJob, IndexQueue, SettleQueue, StoreError};

/// One queue and how it is reached.
#[derive(Clone, Debug)]
struct Queue {
    client: aws_sdk_sqs::Client,
    url: String,
}

impl Queue {
    async fn send(&self, message: &impl Serialize) -> Result<(), StoreError> {
        let body = serde_json::to_string(message).map_err(|error| StoreError::Rejected(error.to_string()))?;
        let send = self.client.send_message().queue_url(&self.url).message_body(body);
        send.send().await.map(|_| ()).map_err(store_error)
    }
}

/// The queue of settlements.
#[derive(Clone, Debug)]
pub struct SqsSettleQueue(Queue);

impl SqsSettleQueue {
    pub fn new(client: aws_sdk_sqs::Client, url: String) -> Self {
        SqsSettleQueue(Queue { client, url })
    }
}

#[async_trait]
impl SettleQueue for SqsSettleQueue {
    async fn send(&self, line: &LedgerLine) -> Result<(), StoreError> {
        self.0.send(line).await
    }
}

/// The queue of the indexer.
#[derive(Clone, Debug)]
pub struct SqsIndexQueue(Queue);

impl SqsIndexQueue {
    pub fn new(client: aws_sdk_sqs::Client, url: String) -> Self {
        SqsIndexQueue(Queue { client, url })
    }
}

#[async_trait]
impl IndexQueue for SqsIndexQueue {
    async fn send(&self, job: &IndexJob) -> Result<(), StoreError> {
        self.0.send(job).await
    }
}
