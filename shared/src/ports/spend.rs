//! What the anomaly throttle remembers of keys.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::anomaly::{History, Part};
use crate::domain::partition::Partition;

/// Keeps the last minute of each key, and the hours that say what is usual for it.
#[async_trait]
pub trait KeepSpend: Send + Sync {
    /// Puts what one partition of the ledger holds of a key in the place of what it held before, and returns
    /// what all partitions hold. Safe to repeat; of two that are put at once, either may stay.
    async fn put_part(
        &self,
        key_id: &str,
        partition: &Partition,
        part: &Part,
    ) -> Result<Vec<Part>, StoreError>;
    /// None where nothing was put yet.
    async fn history(&self, key_id: &str) -> Result<Option<History>, StoreError>;
    async fn put_history(&self, key_id: &str, history: &History) -> Result<(), StoreError>;
}
