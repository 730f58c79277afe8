//! A store that is swept by those who write to it: servers that do not expire by themselves have nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::VectorStore;
use crate::domain::time::Timestamp;
use crate::ports::{Clock, Neighbour, SearchVectors, SetUpVectors, StoreError, VectorRecord, WriteVectors};

/// Finders compare the time for themselves, so what has expired costs room and nothing else.
const EVERY: Duration = Duration::from_secs(3600);

/// Sweeps after a write, where the last sweep of this process is an hour ago.
pub(super) struct Swept {
    store: Arc<dyn VectorStore>,
    clock: Arc<dyn Clock>,
    /// In milliseconds; before the first one, the beginning of time.
    last: AtomicI64,
}

impl Swept {
    pub(super) fn new(store: Arc<dyn VectorStore>, clock: Arc<dyn Clock>) -> Self {
        Swept { store, clock, last: AtomicI64::new(0) }
    }

    /// The time, where a sweep is due; whoever is told so is the only one.
    fn due(&self) -> Option<Timestamp> {
        let (now, last) = (self.clock.now(), self.last.load(Ordering::Relaxed));
        let is_due = now >= Timestamp::from_millis(last) + EVERY;
        let is_first =
            || self.last.compare_exchange(last, now.millis(), Ordering::Relaxed, Ordering::Relaxed).is_ok();
        (is_due && is_first()).then_some(now)
    }
}

#[async_trait]
impl SearchVectors for Swept {
    async fn nearest(
        &self,
        partition: &str,
        vector: &[f32],
        most: usize,
    ) -> Result<Vec<Neighbour>, StoreError> {
        self.store.nearest(partition, vector, most).await
    }
}

#[async_trait]
impl WriteVectors for Swept {
    async fn upsert(&self, records: &[VectorRecord]) -> Result<(), StoreError> {
        self.store.upsert(records).await?;
        if let Some(now) = self.due()
            && let Err(error) = self.store.sweep(now).await
        {
            // The records are written; the next sweep takes what this one left.
            tracing::warn!(%error, "expired vectors are not removed");
        }
        Ok(())
    }

    async fn remove(&self, partition: &str, ids: &[&str]) -> Result<(), StoreError> {
        self.store.remove(partition, ids).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        self.store.sweep(now).await
    }
}

#[async_trait]
impl SetUpVectors for Swept {
    async fn set_up(&self, dimensions: usize) -> Result<bool, StoreError> {
        self.store.set_up(dimensions).await
    }
}

#[cfg(all(test, feature = "memory"))]
mod tests {
    use super::*;
    use crate::vectors::MemoryVectors;

    /// A clock that stands where it was put.
    struct At(AtomicI64);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.load(Ordering::Relaxed))
        }
    }

    fn record(id: &str, expires: i64) -> VectorRecord {
        VectorRecord {
            partition: "p".to_owned(),
            id: id.to_owned(),
            vector: vec![1.0, 0.0],
            expires: Timestamp::from_millis(expires),
            payload: String::new(),
        }
    }

    async fn ids(swept: &Swept) -> Vec<String> {
        let mut ids: Vec<_> =
            swept.nearest("p", &[1.0, 0.0], 9).await.expect("searched").into_iter().map(|n| n.id).collect();
        ids.sort();
        ids
    }

    #[tokio::test]
    async fn a_write_sweeps_once_an_hour() {
        let hour = 3_600_000;
        let clock = Arc::new(At(AtomicI64::new(10 * hour)));
        let swept = Swept::new(Arc::new(MemoryVectors::default()), clock.clone());
        swept.set_up(2).await.expect("an index");
        swept.upsert(&[record("a", 10 * hour - 1), record("b", 11 * hour - 1)]).await.expect("written");
        assert_eq!(ids(&swept).await, ["b"], "the first write sweeps");
        clock.0.store(11 * hour - 1, Ordering::Relaxed);
        swept.upsert(&[record("c", hour)]).await.expect("written");
        assert_eq!(ids(&swept).await, ["b", "c"], "an hour is not over");
        clock.0.store(11 * hour, Ordering::Relaxed);
        swept.upsert(&[record("d", 20 * hour)]).await.expect("written");
        assert_eq!(ids(&swept).await, ["d"]);
    }
}
