//! The function's triggers, told apart by their shape: the settle queue, the ledger's stream, and
//! API Gateway.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Request;
use lambda_runtime::LambdaEvent;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::domain::id::AttemptId;
use shared::domain::partition::Partition;
use shared::http::proxied;

use super::{Usage, handle, note, recompute, settle_message};

/// The part of an event that is used, of either source.
#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Record {
    Message(Message),
    Change { dynamodb: Change },
}

/// A message of SQS.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    message_id: String,
    body: String,
}

/// A change of an item of the ledger. Its key says all that is needed.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    sequence_number: String,
    keys: Keys,
}

#[derive(Deserialize)]
struct Keys {
    pk: Text,
    sk: Text,
}

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

/// One invocation by any trigger.
///
/// # Errors
/// When the event is of no known kind.
pub async fn invoke(usage: &Usage, event: LambdaEvent<Value>) -> Result<Value, lambda_runtime::Error> {
    match event.payload.get("Records").is_some() {
        true => Ok(batch(usage, event.payload).await?),
        false => answer(usage, event.payload, &event.context.request_id).await,
    }
}

/// One batch of the settle queue or of the ledger's stream, and which of its records shall come
/// again.
///
/// # Errors
/// When its records are of no known kind.
pub async fn batch(usage: &Usage, payload: Value) -> Result<Value, serde_json::Error> {
    let batch: Batch = serde_json::from_value(payload)?;
    let (mut messages, mut changes) = (Vec::new(), Vec::new());
    for record in batch.records {
        match record {
            Record::Message(message) => messages.push(message),
            Record::Change { dynamodb } => changes.push(dynamodb),
        }
    }
    let mut failed = settle_batch(usage, messages).await;
    failed.extend(fold_batch(usage, &changes).await);
    let failed: Vec<Value> = failed.into_iter().map(|id| json!({ "itemIdentifier": id })).collect();
    Ok(json!({ "batchItemFailures": failed }))
}

/// Settles each message for itself; those that failed, and only those, come again.
async fn settle_batch(usage: &Usage, messages: Vec<Message>) -> Vec<String> {
    let mut failed = Vec::new();
    for message in messages {
        if let Err(error) = settle_message(usage, &message.body).await {
            tracing::warn!(message = message.message_id, %error, "settlement from the queue failed");
            failed.push(message.message_id);
        }
    }
    failed
}

/// Recomputes each partition once, however many of its lines changed. What Lambda sends again
/// begins at the first change that is named, so no other needs to be.
async fn fold_batch(usage: &Usage, changes: &[Change]) -> Option<String> {
    let dirty: BTreeSet<Partition> = changes.iter().filter_map(|change| change.partition().ok()).collect();
    let failed = recompute(usage, &dirty).await;
    let is_done = |change: &&Change| change.partition().is_ok_and(|one| !failed.contains(&one));
    let done: Vec<&Change> = changes.iter().take_while(is_done).collect();
    if let Some(newest) = done.iter().filter_map(|change| change.request()).max() {
        note(usage, newest.at()).await;
    }
    let first = changes.get(done.len())?;
    if let Err(why) = first.partition() {
        tracing::error!(sequence = first.sequence_number, why, "a change that is no line of the ledger");
    }
    Some(first.sequence_number.clone())
}

impl Change {
    fn partition(&self) -> Result<Partition, String> {
        self.keys.pk.text.parse()
    }

    fn request(&self) -> Option<AttemptId> {
        self.keys.sk.text.split('#').next()?.parse().ok()
    }
}

async fn answer(usage: &Usage, payload: Value, request_id: &str) -> Result<Value, lambda_runtime::Error> {
    let event: lambda_http::request::LambdaRequest = serde_json::from_value(payload)?;
    let (parts, body) = lambda_http::Request::from(event).into_parts();
    let body = match body {
        lambda_http::Body::Text(text) => Bytes::from(text),
        lambda_http::Body::Binary(bytes) => Bytes::from(bytes),
        _ => Bytes::new(),
    };
    Ok(proxied(handle(usage, Request::from_parts(parts, body), request_id).await).await)
}
