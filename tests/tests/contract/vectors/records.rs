//! Vectors and records to test with, and what is true of them.

use std::time::{Duration, UNIX_EPOCH};

use fastrand::Rng;
use shared::domain::time::Timestamp;
use shared::ports::{Neighbour, VectorRecord};

use super::stores::Tested;

pub(super) const DIMENSIONS: usize = 384;
/// How long a store may take to show what was written.
const PATIENCE: Duration = Duration::from_secs(20);

/// Stores expire by the clock of their machine, so the tests go by it as well.
pub(super) fn now() -> Timestamp {
    let millis = UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_millis());
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

pub(super) fn later() -> Timestamp {
    now() + Duration::from_secs(3600)
}

pub(super) fn unit(components: Vec<f32>) -> Vec<f32> {
    let length = components.iter().map(|component| component * component).sum::<f32>().sqrt();
    components.into_iter().map(|component| component / length).collect()
}

/// A direction at random.
pub(super) fn random(rng: &mut Rng) -> Vec<f32> {
    unit((0..DIMENSIONS).map(|_| rng.f32() - 0.5).collect())
}

/// A direction near `vector`, the farther the greater `by`.
pub(super) fn near(vector: &[f32], by: f32, rng: &mut Rng) -> Vec<f32> {
    let noise = random(rng);
    unit(vector.iter().zip(noise).map(|(component, noise)| component + by * noise).collect())
}

/// The direction of one axis.
pub(super) fn axis(n: usize) -> Vec<f32> {
    (0..DIMENSIONS).map(|component| if component == n { 1.0 } else { 0.0 }).collect()
}

pub(super) fn record(partition: &str, id: &str, vector: &[f32]) -> VectorRecord {
    VectorRecord {
        partition: partition.to_owned(),
        id: id.to_owned(),
        vector: vector.to_vec(),
        expires: later(),
        payload: format!(r#"{{"question":{:?}}}"#, format!("{partition} {id}")),
    }
}

pub(super) fn cosine(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// The ids of the `most` records nearest to `vector`, by a scan of all.
pub(super) fn truly_nearest(records: &[VectorRecord], vector: &[f32], most: usize) -> Vec<String> {
    let mut ranked: Vec<_> =
        records.iter().map(|record| (cosine(&record.vector, vector), &record.id)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked.into_iter().take(most).map(|(_, id)| id.clone()).collect()
}

pub(super) fn ids(found: &[Neighbour]) -> Vec<&str> {
    found.iter().map(|neighbour| neighbour.id.as_str()).collect()
}

impl Tested {
    pub(super) async fn set_up(&self) {
        self.store.set_up(DIMENSIONS).await.expect("an index");
    }

    pub(super) async fn upsert(&self, records: &[VectorRecord]) {
        self.store.upsert(records).await.expect("written");
    }

    pub(super) async fn nearest(&self, partition: &str, vector: &[f32], most: usize) -> Vec<Neighbour> {
        self.store.nearest(partition, vector, most).await.expect("searched")
    }

    /// Searches until what is found is as it should be.
    pub(super) async fn sees(
        &self,
        partition: &str,
        vector: &[f32],
        most: usize,
        right: impl Fn(&[Neighbour]) -> bool,
    ) -> Vec<Neighbour> {
        let begun = std::time::Instant::now();
        loop {
            let found = self.nearest(partition, vector, most).await;
            if right(&found) {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "still found in {partition:?}: {:?}", ids(&found));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a partition shows `count` records.
    pub(super) async fn settles(&self, partition: &str, vector: &[f32], count: usize) {
        self.sees(partition, vector, 100, |found| found.len() == count).await;
    }
}
