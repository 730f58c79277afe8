//! The semantic tier of a test gateway: the real use cases over a scripted embedder and an exact scan.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use shared::app::SemanticTier;
use shared::app::semantic::{Indexed, Indexer, Lookup, index, look_up};
use shared::app::warm_marks::WarmMarks;
use shared::config::Cache;
use shared::domain::cache::EMBEDDER;
use shared::domain::time::Timestamp;
use shared::domain::verdict::Finding;
use shared::memory::MemoryStore;
use shared::ports::{
    Clock, Embedder, IndexJob, IndexQueue, LookupError, Neighbour, Question, SearchVectors, SemanticLookup,
    StoreError, VectorRecord, WriteVectors,
};

const DIMENSIONS: usize = 256;

/// Texts are as near as the words that they share; case and punctuation are nothing to it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Words;

#[async_trait]
impl Embedder for Words {
    fn id(&self) -> &str {
        EMBEDDER
    }

    fn dimensions(&self) -> usize {
        DIMENSIONS
    }

    async fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        Ok(texts.iter().map(|text| vector(text)).collect())
    }
}

fn vector(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0_f32; DIMENSIONS];
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    for word in words {
        let mut hasher = DefaultHasher::new();
        word.to_lowercase().hash(&mut hasher);
        let at = usize::try_from(hasher.finish() % DIMENSIONS as u64).expect("it is small");
        vector[at] += 1.0;
    }
    let length = vector.iter().map(|one| one * one).sum::<f32>().sqrt();
    vector.iter().map(|one| if length > 0.0 { one / length } else { 0.0 }).collect()
}

/// An exact scan over what was written.
#[derive(Debug, Default)]
pub struct Scan {
    records: Mutex<BTreeMap<(String, String), VectorRecord>>,
}

impl Scan {
    pub fn records(&self) -> Vec<VectorRecord> {
        self.records.lock().expect("never poisoned").values().cloned().collect()
    }
}

#[async_trait]
impl SearchVectors for Scan {
    async fn nearest(
        &self,
        partition: &str,
        vector: &[f32],
        most: usize,
    ) -> Result<Vec<Neighbour>, StoreError> {
        let records = self.records.lock().expect("never poisoned");
        let similarity = |other: &[f32]| vector.iter().zip(other).map(|(one, other)| one * other).sum();
        let from = (partition.to_owned(), String::new());
        let in_partition = records.range(from..).take_while(|((other, _), _)| other == partition);
        let mut found: Vec<Neighbour> = in_partition
            .map(|(_, record)| record)
            .map(|record| Neighbour {
                id: record.id.clone(),
                similarity: similarity(&record.vector),
                expires: record.expires,
                payload: record.payload.clone(),
            })
            .collect();
        found.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
        found.truncate(most);
        Ok(found)
    }
}

#[async_trait]
impl WriteVectors for Scan {
    async fn upsert(&self, records: &[VectorRecord]) -> Result<(), StoreError> {
        let mut standing = self.records.lock().expect("never poisoned");
        for record in records {
            standing.insert((record.partition.clone(), record.id.clone()), record.clone());
        }
        Ok(())
    }

    async fn remove(&self, partition: &str, ids: &[&str]) -> Result<(), StoreError> {
        let mut standing = self.records.lock().expect("never poisoned");
        ids.iter().for_each(|id| drop(standing.remove(&(partition.to_owned(), (*id).to_owned()))));
        Ok(())
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        self.records.lock().expect("never poisoned").retain(|_, record| now < record.expires);
        Ok(())
    }
}

/// Jobs in the order they were sent.
#[derive(Debug, Default)]
pub struct Jobs {
    sent: Mutex<Vec<IndexJob>>,
}

impl Jobs {
    pub fn take(&self) -> Vec<IndexJob> {
        std::mem::take(&mut self.sent.lock().expect("never poisoned"))
    }
}

#[async_trait]
impl IndexQueue for Jobs {
    async fn send(&self, job: &IndexJob) -> Result<(), StoreError> {
        self.sent.lock().expect("never poisoned").push(job.clone());
        Ok(())
    }
}

/// Both functions of the tier, in this process.
#[derive(Clone)]
pub struct Semantic {
    pub vectors: Arc<Scan>,
    pub jobs: Arc<Jobs>,
    pub lookup: Arc<Lookup>,
    pub indexer: Arc<Indexer>,
    /// Questions that were looked up.
    pub asked: Arc<Mutex<Vec<Question>>>,
}

impl Semantic {
    pub fn new(cache: &Cache, store: &Arc<MemoryStore>, clock: &Arc<dyn Clock>) -> Self {
        let vectors = Arc::new(Scan::default());
        let lookup = Lookup {
            cache: cache.clone(),
            embedder: Arc::new(Words),
            vectors: vectors.clone(),
            marks: Arc::new(WarmMarks::new(store.clone(), Arc::clone(clock))),
            clock: Arc::clone(clock),
        };
        let indexer = Indexer {
            cache: cache.clone(),
            embedder: Arc::new(Words),
            vectors: vectors.clone(),
            answers: store.clone(),
            precision: store.clone(),
            clock: Arc::clone(clock),
        };
        let (jobs, asked) = (Arc::default(), Arc::default());
        Semantic { vectors, jobs, lookup: Arc::new(lookup), indexer: Arc::new(indexer), asked }
    }

    /// As the gateway reaches it.
    pub fn tier(&self) -> SemanticTier {
        SemanticTier { lookup: Arc::new(self.clone()), jobs: self.jobs.clone() }
    }

    /// Does every job that waits.
    pub async fn index(&self) -> Vec<Indexed> {
        let mut done = Vec::new();
        for job in self.jobs.take() {
            done.push(index(&self.indexer, &job).await.expect("stores that work"));
        }
        done
    }
}

#[async_trait]
impl SemanticLookup for Semantic {
    async fn look_up(&self, question: &Question) -> Result<Finding, LookupError> {
        self.asked.lock().expect("never poisoned").push(question.clone());
        look_up(&self.lookup, question).await
    }
}
