//! Vectors in the memory of one process: found by a scan of their partition, and exactly.

mod rows;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;

use self::rows::{Row, Rows};
use crate::domain::time::Timestamp;
use crate::ports::vector_rules::same_size;
use crate::ports::{Neighbour, SearchVectors, SetUpVectors, StoreError, VectorRecord, WriteVectors};

/// What all entries may take together; beyond it the oldest go. Some 80,000 with payloads of 1 KB.
const BYTES_MAX: usize = 256 << 20;

/// A store of vectors that ends with its process.
#[derive(Debug)]
pub struct MemoryVectors {
    room: usize,
    index: RwLock<Index>,
}

#[derive(Debug, Default)]
struct Index {
    /// Components of a vector, once it was set up.
    dimensions: Option<usize>,
    partitions: HashMap<Arc<str>, Rows>,
    /// Where the entries are, in the order of their writing.
    ages: BTreeMap<u64, (Arc<str>, Arc<str>)>,
    written: u64,
    bytes: usize,
}

impl Default for MemoryVectors {
    fn default() -> Self {
        MemoryVectors::with_room(BYTES_MAX)
    }
}

impl MemoryVectors {
    /// A store whose entries take `room` bytes at most.
    pub fn with_room(room: usize) -> Self {
        MemoryVectors { room, index: RwLock::default() }
    }

    fn read(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SearchVectors for MemoryVectors {
    async fn nearest(
        &self,
        partition: &str,
        vector: &[f32],
        most: usize,
    ) -> Result<Vec<Neighbour>, StoreError> {
        let index = self.read();
        index.check(vector)?;
        Ok(index.partitions.get(partition).map(|rows| rows.nearest(vector, most)).unwrap_or_default())
    }
}

#[async_trait]
impl WriteVectors for MemoryVectors {
    async fn upsert(&self, records: &[VectorRecord]) -> Result<(), StoreError> {
        let mut index = self.write();
        records.iter().try_for_each(|record| index.check(&record.vector))?;
        for record in records {
            index.put(record);
        }
        while index.bytes > self.room && index.drop_oldest() {}
        Ok(())
    }

    async fn remove(&self, partition: &str, ids: &[&str]) -> Result<(), StoreError> {
        let mut index = self.write();
        for id in ids {
            index.remove(partition, id);
        }
        Ok(())
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut index = self.write();
        let expired: Vec<(Arc<str>, Arc<str>)> = index
            .partitions
            .iter()
            .flat_map(|(partition, rows)| rows.expired(now).map(|id| (partition.clone(), id.clone())))
            .collect();
        for (partition, id) in expired {
            index.remove(&partition, &id);
        }
        Ok(())
    }
}

#[async_trait]
impl SetUpVectors for MemoryVectors {
    async fn set_up(&self, dimensions: usize) -> Result<bool, StoreError> {
        let mut index = self.write();
        match index.dimensions {
            Some(stored) => same_size("memory", stored, dimensions).map(|()| false),
            None => {
                index.dimensions = Some(dimensions);
                Ok(true)
            }
        }
    }
}

impl Index {
    /// Whether `vector` can be compared with those that are stored.
    fn check(&self, vector: &[f32]) -> Result<(), StoreError> {
        let Some(dimensions) = self.dimensions else {
            return Err(StoreError::Rejected("the index memory is missing".to_owned()));
        };
        same_size("memory", dimensions, vector.len())?;
        match vector.iter().all(|component| component.is_finite()) {
            true => Ok(()),
            false => Err(StoreError::Rejected("a component of a vector is no finite number".to_owned())),
        }
    }

    fn put(&mut self, record: &VectorRecord) {
        self.remove(&record.partition, &record.id);
        let partition: Arc<str> = match self.partitions.get_key_value(record.partition.as_str()) {
            Some((known, _)) => known.clone(),
            None => record.partition.as_str().into(),
        };
        self.written += 1;
        let row = Row {
            id: record.id.as_str().into(),
            expires: record.expires,
            payload: record.payload.as_str().into(),
            age: self.written,
        };
        self.ages.insert(row.age, (partition.clone(), row.id.clone()));
        self.bytes += row.bytes(record.vector.len());
        self.partitions
            .entry(partition)
            .or_insert_with(|| Rows::new(record.vector.len()))
            .push(row, &record.vector);
    }

    fn remove(&mut self, partition: &str, id: &str) {
        let Some(rows) = self.partitions.get_mut(partition) else { return };
        let Some(row) = rows.remove(id) else { return };
        self.ages.remove(&row.age);
        self.bytes -= row.bytes(rows.dimensions());
        if rows.is_empty() {
            self.partitions.remove(partition);
        }
    }

    /// Whether there was one.
    fn drop_oldest(&mut self) -> bool {
        let Some((_, (partition, id))) = self.ages.pop_first() else { return false };
        self.remove(&partition, &id);
        true
    }
}
