//! Cached answers, breakers and the settle queue in memory.

use async_trait::async_trait;

use super::{ANSWERS_MAX, MemoryStore};
use crate::domain::breaker::Breaker;
use crate::domain::cache::CacheKey;
use crate::domain::ledger::LedgerLine;
use crate::domain::time::Timestamp;
use crate::ports::{AnswerCache, BreakerStore, CachedAnswer, SettleQueue, StoreError, Versioned};

#[async_trait]
impl AnswerCache for MemoryStore {
    async fn get(&self, key: &CacheKey) -> Result<Option<CachedAnswer>, StoreError> {
        Ok(self.state().answers.get(key).map(|(entry, _)| entry.clone()))
    }

    async fn put(&self, key: &CacheKey, entry: &CachedAnswer, expires: Timestamp) -> Result<(), StoreError> {
        let answers = &mut self.state().answers;
        if answers.len() >= ANSWERS_MAX && !answers.contains_key(key) {
            let first = answers.iter().min_by_key(|(_, (_, expires))| *expires).map(|(key, _)| key.clone());
            first.and_then(|key| answers.remove(&key));
        }
        answers.insert(key.clone(), (entry.clone(), expires));
        Ok(())
    }
}

#[async_trait]
impl BreakerStore for MemoryStore {
    async fn read(&self, target: &str) -> Result<Versioned, StoreError> {
        Ok(self.state().breakers.get(target).cloned().unwrap_or_default())
    }

    async fn swap(&self, target: &str, version: u64, next: &Breaker) -> Result<bool, StoreError> {
        let mut state = self.state();
        let standing = state.breakers.get(target).map_or(0, |standing| standing.version);
        if standing != version {
            return Ok(false);
        }
        state.breakers.insert(target.to_owned(), Versioned { breaker: next.clone(), version: version + 1 });
        Ok(true)
    }
}

#[async_trait]
impl SettleQueue for MemoryStore {
    async fn send(&self, line: &LedgerLine) -> Result<(), StoreError> {
        self.state().settle_queue.push_back(line.clone());
        Ok(())
    }
}
