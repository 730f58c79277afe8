//! Writes that nobody waits for long: what they keep can be done without.

use std::time::Duration;

use tokio::time::timeout;

use crate::ports::StoreError;

/// Gives a write as long as `patience`. A failure is logged as `lost` and costs no more
/// than what was to be kept.
pub(super) async fn best_effort(
    patience: Duration,
    lost: &str,
    write: impl Future<Output = Result<(), StoreError>>,
) {
    match timeout(patience, write).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "{lost}"),
        Err(_) => tracing::warn!("{lost}: the store took too long"),
    }
}
