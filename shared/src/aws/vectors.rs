//! Vectors in the cache table, found through the table's own vector index. A record is an item:
//! partition `vector#<id>`, sort key the record's partition.

use async_trait::async_trait;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, SearchResultItem};
use futures_util::stream::{self, TryStreamExt};

use super::clients::Clients;
use super::errors::store_error;
use super::item::{Item, int, key, malformed, n, s, text};
use super::vector_index::{PARTITION, VECTOR, VECTOR_INDEX};
use crate::domain::time::Timestamp;
use crate::ports::vector_rules::{cosine_of, latest};
use crate::ports::{Neighbour, SearchVectors, StoreError, VectorRecord, WriteVectors};

/// What a search reads of an item: everything but its vector.
const READ: &str = "pk, payload, expires";
/// DynamoDB's limit for one search.
const MOST: usize = 100;
/// Writes under way at once.
const WRITERS: usize = 8;
pub(super) const PREFIX: &str = "vector#";

/// The vector index of the cache table.
#[derive(Clone, Debug)]
pub struct DynamoVectors {
    pub(super) clients: Clients,
    pub(super) table: String,
}

impl DynamoVectors {
    /// `table` is the cache table.
    pub fn new(clients: Clients, table: String) -> Self {
        DynamoVectors { clients, table }
    }

    async fn put(&self, record: &VectorRecord) -> Result<(), StoreError> {
        self.clients
            .patient
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item(record)))
            .send()
            .await
            .map(|_| ())
            .map_err(store_error)
    }

    /// Takes the record out of the index. What is left of the item holds nothing and goes when its
    /// time is over, so that no function needs leave to delete.
    async fn empty(&self, partition: &str, id: &str) -> Result<(), StoreError> {
        let sent = self
            .clients
            .patient
            .update_item()
            .table_name(&self.table)
            .set_key(Some(record_key(partition, id)))
            .update_expression("REMOVE #vector, #partition, #payload")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#vector", VECTOR)
            .expression_attribute_names("#partition", PARTITION)
            .expression_attribute_names("#payload", "payload")
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|refused| refused.is_conditional_check_failed_exception()) =>
            {
                Ok(())
            }
            Err(error) => Err(store_error(error)),
        }
    }
}

#[async_trait]
impl SearchVectors for DynamoVectors {
    async fn nearest(
        &self,
        partition: &str,
        vector: &[f32],
        most: usize,
    ) -> Result<Vec<Neighbour>, StoreError> {
        let most = i32::try_from(most.min(MOST)).unwrap_or(i32::MAX);
        let sent = self
            .clients
            .patient
            .search_vectors()
            .table_name(&self.table)
            .index_name(VECTOR_INDEX)
            .set_search_vector(Some(numbers(vector)))
            .search_condition_expression("#partition = :partition")
            .expression_attribute_names("#partition", PARTITION)
            .expression_attribute_values(":partition", s(partition))
            .projection_expression(READ)
            .top_k(most)
            .send()
            .await;
        match sent {
            Ok(found) => found.search_results().iter().map(neighbour).collect(),
            // Nothing can be found yet.
            Err(error) if error.as_service_error().is_some_and(is_backfilling) => Ok(Vec::new()),
            Err(error) => Err(store_error(error)),
        }
    }
}

#[async_trait]
impl WriteVectors for DynamoVectors {
    async fn upsert(&self, records: &[VectorRecord]) -> Result<(), StoreError> {
        // Writes overtake each other, so of two with the same key only the later is sent.
        let writes = stream::iter(latest(records).into_iter().map(Ok));
        writes.try_for_each_concurrent(WRITERS, |record| self.put(record)).await
    }

    async fn remove(&self, partition: &str, ids: &[&str]) -> Result<(), StoreError> {
        let removals = stream::iter(ids.iter().map(Ok));
        removals.try_for_each_concurrent(WRITERS, |id| self.empty(partition, id)).await
    }

    /// Nothing to do: the table's time to live deletes items.
    async fn sweep(&self, _now: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }
}

fn is_backfilling(error: &impl ProvideErrorMetadata) -> bool {
    error.message().is_some_and(|message| message.contains("backfilling"))
}

fn record_key(partition: &str, id: &str) -> Item {
    key(format!("{PREFIX}{id}"), partition)
}

fn item(record: &VectorRecord) -> Item {
    let mut item = record_key(&record.partition, &record.id);
    item.insert(PARTITION.to_owned(), s(&record.partition));
    item.insert(VECTOR.to_owned(), AttributeValue::L(numbers(&record.vector)));
    item.insert("payload".to_owned(), s(&record.payload));
    item.insert("expires".to_owned(), n(record.expires.millis()));
    item.insert("expiresAt".to_owned(), n(record.expires.seconds().saturating_add(1)));
    item
}

fn numbers(vector: &[f32]) -> Vec<AttributeValue> {
    vector.iter().map(n).collect()
}

fn neighbour(found: &SearchResultItem) -> Result<Neighbour, StoreError> {
    let item = found.item().ok_or_else(|| malformed("pk"))?;
    let id = text(item, "pk")?.strip_prefix(PREFIX).ok_or_else(|| malformed("pk"))?;
    Ok(Neighbour {
        id: id.to_owned(),
        // The score is a distance.
        similarity: cosine_of(found.score()),
        expires: Timestamp::from_millis(int(item, "expires")?),
        payload: text(item, "payload")?.to_owned(),
    })
}
