//! The vectors of a gateway on a laptop: searched in memory, kept in the cache table.

use std::sync::Arc;

use async_trait::async_trait;
use shared::aws::{DynamoVectors, VECTOR_DIMENSIONS};
use shared::domain::time::Timestamp;
use shared::ports::{Neighbour, SearchVectors, SetUpVectors, StoreError, VectorRecord, WriteVectors};
use shared::vectors::{MemoryVectors, VectorStore};

use super::Search;
use super::gateway::Stores;

/// The store that was chosen, for vectors of so many components. What the cache table holds is read
/// into memory; its index is made for the embedder in the process, and holds no others.
///
/// # Errors
/// When there is no such table, or it cannot be read.
pub(super) async fn open(
    search: Search,
    stores: &Stores,
    dimensions: usize,
) -> Result<Arc<dyn VectorStore>, String> {
    let failed = |error: StoreError| format!("vectors cannot be read: {error}");
    let table = stores.vectors.clone().filter(|_| dimensions == VECTOR_DIMENSIONS);
    match (search, table) {
        (Search::Dynamodb, Some(table)) => Ok(Arc::new(table)),
        (Search::Dynamodb, None) => {
            Err(format!("--vectors dynamodb needs a table, and vectors of {VECTOR_DIMENSIONS} components"))
        }
        (Search::Memory, None) => Ok(Arc::new(MemoryVectors::default())),
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
