//! The settle queue, on SQS. The message is the ledger line itself.

use async_trait::async_trait;

use super::errors::store_error;
use crate::domain::ledger::LedgerLine;
use crate::ports::{SettleQueue, StoreError};

#[derive(Clone, Debug)]
pub struct SqsSettleQueue {
    client: aws_sdk_sqs::Client,
    url: String,
}

impl SqsSettleQueue {
    pub fn new(client: aws_sdk_sqs::Client, url: String) -> Self {
        SqsSettleQueue { client, url }
    }
}

#[async_trait]
impl SettleQueue for SqsSettleQueue {
    async fn send(&self, line: &LedgerLine) -> Result<(), StoreError> {
        let body = serde_json::to_string(line).map_err(|error| StoreError::Rejected(error.to_string()))?;
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .send()
            .await
            .map(|_| ())
            .map_err(store_error)
    }
}
