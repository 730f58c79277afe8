//! A store that takes its time between any two steps, and fails now and then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use shared::domain::id::AttemptId;
use shared::domain::ledger::LedgerLine;
use shared::domain::partition::Partition;
use shared::domain::rollup::{Rollup, Summary};
use shared::domain::time::Timestamp;
use shared::memory::MemoryStore;
use shared::ports::{LineMark, LinePage, ReadLedger, StoreError, WriteRollups};

/// One step in this many fails, while steps may fail.
const FAILS: u64 = 12;

pub(super) struct Jitter {
    store: Arc<MemoryStore>,
    seed: AtomicU64,
    pub(super) may_fail: AtomicBool,
}

impl Jitter {
    pub(super) fn new(store: &Arc<MemoryStore>, seed: u64) -> Self {
        Jitter { store: Arc::clone(store), seed: AtomicU64::new(seed), may_fail: AtomicBool::new(false) }
    }

    /// A whole number below `limit`, the same sequence for the same seed.
    pub(super) fn below(&self, limit: u64) -> u64 {
        let step =
            |seed: u64| seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let last = self.seed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |seed| Some(step(seed)));
        (step(last.unwrap_or_default()) >> 33) % limit.max(1)
    }

    /// Lets others go first.
    pub(super) async fn wait(&self) {
        for _ in 0..self.below(6) {
            tokio::task::yield_now().await;
        }
    }

    async fn step(&self) -> Result<(), StoreError> {
        self.wait().await;
        match self.may_fail.load(Ordering::Relaxed) && self.below(FAILS) == 0 {
            true => Err(StoreError::NoReply("a fault of the test".to_owned())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl ReadLedger for Jitter {
    async fn of_key(
        &self,
        key_id: &str,
        since: Timestamp,
        most: usize,
    ) -> Result<Vec<LedgerLine>, StoreError> {
        ReadLedger::of_key(self.store.as_ref(), key_id, since, most).await
    }

    async fn page(&self, partition: &Partition, from: Option<&LineMark>) -> Result<LinePage, StoreError> {
        self.step().await?;
        self.store.page(partition, from).await
    }

    async fn of_request(&self, tenant: &str, request: AttemptId) -> Result<Vec<LedgerLine>, StoreError> {
        self.store.of_request(tenant, request).await
    }
}

#[async_trait]
impl WriteRollups for Jitter {
    async fn put(&self, rollup: &Rollup) -> Result<(), StoreError> {
        self.step().await?;
        WriteRollups::put(self.store.as_ref(), rollup).await
    }

    async fn put_summary(&self, summary: &Summary) -> Result<(), StoreError> {
        self.step().await?;
        self.store.put_summary(summary).await
    }

    async fn note_folded(&self, at: Timestamp) -> Result<(), StoreError> {
        self.step().await?;
        self.store.note_folded(at).await
    }
}
