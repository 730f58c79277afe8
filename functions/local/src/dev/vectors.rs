//! The vectors of a gateway on a laptop: on a server that the configuration tells of, or searched in memory and
//! kept in the cache table.

use std::sync::Arc;

use async_trait::async_trait;
use shared::aws::{DynamoVectors, VECTOR_DIMENSIONS};
use shared::clock::SystemClock;
use shared::config::Cache;
use shared::domain::time::Timestamp;
use shared::ports::{Clock, Neighbour, SearchVectors, SetUpVectors, StoreError, VectorRecord, WriteVectors};
use shared::vectors::{MemoryVectors, VectorStore, open_server};

use super::Search;
use super::gateway::Stores;
use super::providers::EnvironmentSecrets;

/// Where vectors are searched, `chosen` before what the configuration says. Without an address of its server a
/// provider is one for AWS, where the stack makes the server.
pub(super) fn search(chosen: Option<Search>, cache: &Cache) -> Search {
    match (chosen, &cache.store.url) {
        (Some(chosen), _) => chosen,
        (None, Some(_)) if cache.provider.has_server() => Search::Server,
        (None, _) => Search::Memory,
    }
}

/// The store that was chosen, for vectors of so many components. What the cache table holds is read into memory;
/// its index is made for the embedder in the process, and holds no others. On a server the index is made.
///
/// # Errors
/// When there is no such table or it cannot be read, or the server cannot be reached.
pub(super) async fn open(
    search: Search,
    cache: &Cache,
    stores: &Stores,
    dimensions: usize,
) -> Result<Arc<dyn VectorStore>, String> {
    let failed = |error: StoreError| format!("vectors cannot be read: {error}");
    let table = stores.vectors.clone().filter(|_| dimensions == VECTOR_DIMENSIONS);
    match (search, table) {
        (Search::Server, _) => {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            let server = open_server(cache, &EnvironmentSecrets, &clock).await?;
            let made = server.set_up(dimensions).await;
            made.map_err(|error| format!("cache.provider {}: {error}", cache.provider))?;
            Ok(server)
        }
        (Search::Dynamodb, Some(table)) => Ok(Arc::new(table)),
        (Search::Dynamodb, None) => {
            Err(format!("--vectors dynamodb needs a table, and vectors of {VECTOR_DIMENSIONS} components"))
        }
        (Search::Memory, None) => {
            let memory = MemoryVectors::default();
            memory.set_up(dimensions).await.map_err(failed)?;
            Ok(Arc::new(memory))
        }
        (Search::Memory, Some(table)) => {
            let memory = MemoryVectors::default();
            memory.set_up(VECTOR_DIMENSIONS).await.map_err(failed)?;
            let kept = table.all().await.map_err(failed)?;
            let fits = |record: &VectorRecord| record.vector.len() == VECTOR_DIMENSIONS;
            let kept: Vec<VectorRecord> = kept.into_iter().filter(fits).collect();
            memory.upsert(&kept).await.map_err(failed)?;
            Ok(Arc::new(Kept { memory, table }))
        }
    }
}

/// Searched in memory; what is written goes to the table as well, for the next start.
struct Kept {
    memory: MemoryVectors,
    table: DynamoVectors,
}

#[async_trait]
impl SearchVectors for Kept {
    async fn nearest(
        &self,
        partition: &str,
        vector: &[f32],
        most: usize,
    ) -> Result<Vec<Neighbour>, StoreError> {
        self.memory.nearest(partition, vector, most).await
    }
}

#[async_trait]
impl WriteVectors for Kept {
    async fn upsert(&self, records: &[VectorRecord]) -> Result<(), StoreError> {
        self.memory.upsert(records).await?;
        self.table.upsert(records).await
    }

    async fn remove(&self, partition: &str, ids: &[&str]) -> Result<(), StoreError> {
        self.memory.remove(partition, ids).await?;
        self.table.remove(partition, ids).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        self.memory.sweep(now).await
    }
}

#[async_trait]
impl SetUpVectors for Kept {
    async fn set_up(&self, dimensions: usize) -> Result<bool, StoreError> {
        self.memory.set_up(dimensions).await
    }
}

#[cfg(test)]
mod tests {
    use shared::config::Config;

    use super::*;

    #[test]
    fn a_server_is_searched_where_the_configuration_tells_of_one() {
        let cache = |text: &str| Config::parse(text).expect("valid").cache;
        let told = cache(r#"{"cache": {"provider": "redis", "store": {"url": "redis://localhost"}}}"#);
        assert_eq!(search(None, &told), Search::Server);
        assert_eq!(search(Some(Search::Dynamodb), &told), Search::Dynamodb);
        for made_by_the_stack in [r#"{"cache": {"provider": "redis"}}"#, "{}"] {
            assert_eq!(search(None, &cache(made_by_the_stack)), Search::Memory);
        }
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_is_told_before_anybody_is_served() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = nobody.expect("a free port").port();
        let text = format!(
            r#"{{"cache": {{"provider": "qdrant", "store": {{"url": "http://127.0.0.1:{port}"}}}}}}"#
        );
        let cache = Config::parse(&text).expect("valid").cache;
        let opened = open(Search::Server, &cache, &Stores::memory(), VECTOR_DIMENSIONS).await;
        let why = opened.err().expect("nobody listens");
        assert!(why.starts_with("cache.provider qdrant: store rejected the call"), "{why}");
    }
}
