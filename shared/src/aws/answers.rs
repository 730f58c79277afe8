//! Cached answers: partition the cache key, the answer as JSON, and the time-to-live attribute.

use async_trait::async_trait;

use super::clients::Clients;
use super::errors::store_error;
use super::item::{key, n, s, text};
use crate::domain::cache::CacheKey;
use crate::domain::time::Timestamp;
use crate::ports::{AnswerCache, CachedAnswer, StoreError};
use crate::protocol::json::unquoted;

const SORT_KEY: &str = "answer";

#[derive(Clone, Debug)]
pub struct DynamoAnswers {
    clients: Clients,
    table: String,
}

impl DynamoAnswers {
    /// `table` is the cache table.
    pub fn new(clients: Clients, table: String) -> Self {
        DynamoAnswers { clients, table }
    }
}

#[async_trait]
impl AnswerCache for DynamoAnswers {
    async fn get(&self, cache_key: &CacheKey) -> Result<Option<CachedAnswer>, StoreError> {
        let found = self
            .clients
            .patient
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(cache_key.as_str(), SORT_KEY)))
            .send()
            .await
            .map_err(store_error)?;
        let Some(item) = found.item() else { return Ok(None) };
        serde_json::from_str(text(item, "doc")?).map(Some).map_err(|error| {
            StoreError::Rejected(format!("a cached answer cannot be read: {}", unquoted(&error)))
        })
    }

    async fn put(
        &self,
        cache_key: &CacheKey,
        entry: &CachedAnswer,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        let document = serde_json::to_string(entry)
            .map_err(|error| StoreError::Rejected(format!("an answer cannot be stored: {error}")))?;
        self.clients
            .patient
            .put_item()
            .table_name(&self.table)
            .set_item(Some(key(cache_key.as_str(), SORT_KEY)))
            .item("doc", s(document))
            .item("expiresAt", n(expires.seconds().saturating_add(1)))
            .send()
            .await
            .map(|_| ())
            .map_err(store_error)
    }
}
