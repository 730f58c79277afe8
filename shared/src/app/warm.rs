//! Copies of records that were read from a store and may be used for a while.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::time::Timestamp;
use crate::ports::Clock;

/// Records one instance remembers; the whole copy is dropped beyond that.
const RECORDS_MAX: usize = 10_000;

pub(super) struct Copies<K, V> {
    clock: Arc<dyn Clock>,
    /// The oldest copy that may still be used.
    fresh: Duration,
    copies: Mutex<HashMap<K, (V, Timestamp)>>,
}

impl<K: Eq + Hash, V: Clone> Copies<K, V> {
    pub(super) fn new(clock: Arc<dyn Clock>, fresh: Duration) -> Self {
        Copies { clock, fresh, copies: Mutex::default() }
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        let copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        let (record, read_at) = copies.get(key)?;
        (self.clock.now().since(*read_at) < self.fresh).then(|| record.clone())
    }

    pub(super) fn remember(&self, key: K, record: V) {
        let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        if copies.len() >= RECORDS_MAX {
            copies.clear();
        }
        copies.insert(key, (record, self.clock.now()));
    }

    pub(super) fn forget(&self, key: &K) {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}
