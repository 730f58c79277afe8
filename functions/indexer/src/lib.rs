//! The `indexer` function: makes kept answers findable by near questions, and finds out what near
//! matches are worth.

pub mod wiring;

use std::fmt;

use lambda_runtime::LambdaEvent;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::app::semantic::{Indexed, Indexer, index};
use shared::ports::{IndexJob, StoreError};
use shared::protocol::json::unquoted;

/// The part of a batch of SQS that is used.
#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    message_id: String,
    body: String,
}

/// Why a job was not done.
#[derive(Debug)]
pub enum JobError {
    /// The message is no job; repeating cannot help.
    Unreadable(String),
    Store(StoreError),
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JobError::Unreadable(why) => write!(f, "not an index job: {why}"),
            JobError::Store(error) => error.fmt(f),
        }
    }
}

/// One batch of the index queue, and which of its messages shall come again.
///
/// # Errors
/// When the event is no batch.
pub async fn invoke(indexer: &Indexer, event: LambdaEvent<Value>) -> Result<Value, lambda_runtime::Error> {
    let batch: Batch = serde_json::from_value(event.payload)?;
    let mut failed = Vec::new();
    for Message { message_id, body } in batch.records {
        if let Err(error) = take(indexer, &body).await {
            tracing::warn!(message = message_id, %error, "an answer is not indexed");
            failed.push(json!({ "itemIdentifier": message_id }));
        }
    }
    Ok(json!({ "batchItemFailures": failed }))
}

/// Does one job of the queue. Doing it again changes nothing.
///
/// # Errors
/// [`JobError`]; the message goes back to the queue and in the end to the dead letters.
pub async fn take(indexer: &Indexer, body: &str) -> Result<Indexed, JobError> {
    let job: IndexJob = serde_json::from_str(body).map_err(|error| JobError::Unreadable(unquoted(&error)))?;
    index(indexer, &job).await.map_err(JobError::Store)
}
