//! The last minute and the hours of keys, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::MemoryStore;
use crate::domain::anomaly::{Bucket, History};
use crate::domain::partition::Partition;
use crate::ports::{KeepSpend, StoreError};

#[derive(Debug, Default)]
pub(super) struct Spend {
    /// By key, and by what tells two hours that touch and their shards apart.
    buckets: BTreeMap<String, BTreeMap<(i64, u8), Vec<Bucket>>>,
    histories: BTreeMap<String, History>,
}

#[async_trait]
impl KeepSpend for MemoryStore {
    async fn put_buckets(
        &self,
        key_id: &str,
        partition: &Partition,
        buckets: &[Bucket],
    ) -> Result<Vec<Bucket>, StoreError> {
        let parts = &mut self.state().spend.buckets;
        let parts = parts.entry(key_id.to_owned()).or_default();
        parts.insert((partition.hour % 2, partition.shard), buckets.to_vec());
        Ok(parts.values().flatten().copied().collect())
    }

    async fn history(&self, key_id: &str) -> Result<Option<History>, StoreError> {
        Ok(self.state().spend.histories.get(key_id).cloned())
    }

    async fn put_history(&self, key_id: &str, history: &History) -> Result<(), StoreError> {
        self.state().spend.histories.insert(key_id.to_owned(), history.clone());
        Ok(())
    }
}
