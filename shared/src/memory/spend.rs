//! The last minute and the hours of keys, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::MemoryStore;
use crate::domain::anomaly::{History, Part};
use crate::domain::partition::Partition;
use crate::ports::{KeepSpend, StoreError};

#[derive(Debug, Default)]
pub(super) struct Spend {
    /// By key, and by what tells two hours that touch and their shards apart.
    parts: BTreeMap<String, BTreeMap<(i64, u8), Part>>,
    histories: BTreeMap<String, History>,
}

#[async_trait]
impl KeepSpend for MemoryStore {
    async fn put_part(
        &self,
        key_id: &str,
        partition: &Partition,
        part: &Part,
    ) -> Result<Vec<Part>, StoreError> {
        let parts = &mut self.state().spend.parts;
        let parts = parts.entry(key_id.to_owned()).or_default();
        parts.insert((partition.hour % 2, partition.shard), part.clone());
        Ok(parts.values().cloned().collect())
    }

    async fn history(&self, key_id: &str) -> Result<Option<History>, StoreError> {
        Ok(self.state().spend.histories.get(key_id).cloned())
    }

    async fn put_history(&self, key_id: &str, history: &History) -> Result<(), StoreError> {
        self.state().spend.histories.insert(key_id.to_owned(), history.clone());
        Ok(())
    }
}
