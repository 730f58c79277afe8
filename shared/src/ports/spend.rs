//! What the anomaly throttle remembers of keys.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::anomaly::{Bucket, History};
use crate::domain::partition::Partition;

/// Keeps the last minute of each key, and the hours that say what is usual for it.
#[async_trait]
pub trait KeepSpend: Send + Sync {
    /// Puts what one partition of the ledger holds of a key's last minute in the place of what it held
    /// before, and returns the buckets of all partitions. Safe to repeat; of two that are put at once,
    /// either may stay.
    async fn put_buckets(
        &self,
        key_id: &str,
        partition: &Partition,
        buckets: &[Bucket],
    ) -> Result<Vec<Bucket>, StoreError>;
    /// None where nothing was put yet.
    async fn history(&self, key_id: &str) -> Result<Option<History>, StoreError>;
    async fn put_history(&self, key_id: &str, history: &History) -> Result<(), StoreError>;
}
