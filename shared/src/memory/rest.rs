//! Cached answers, idempotency keys, breakers and the settle queue in memory.

use async_trait::async_trait;

use super::{ANSWERS_MAX, CLAIMS_MAX, MemoryStore};
use crate::domain::breaker::Breaker;
use crate::domain::cache::CacheKey;
use crate::domain::idempotency::{Claim, Claimed, Record, State, is_free, refused};
use crate::domain::ledger::LedgerLine;
use crate::domain::time::Timestamp;
use crate::ports::{
    AnswerCache, BreakerStore, CachedAnswer, Idempotency, SettleQueue, StoreError, Versioned,
};

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
impl Idempotency for MemoryStore {
    async fn claim(&self, claim: &Claim, now: Timestamp) -> Result<Claimed<String>, StoreError> {
        let claims = &mut self.state().claims;
        let standing = claims.get(&claim.key);
        match standing {
            Some(standing) if !is_free(Some(standing), claim, now) => Ok(refused(standing.clone(), claim)),
            _ => {
                if claims.len() >= CLAIMS_MAX {
                    claims.retain(|_, record| now < record.expires);
                }
                claims.insert(claim.key.clone(), Record::new(claim, State::InFlight));
                Ok(Claimed::Started)
            }
        }
    }

    async fn conclude(&self, claim: &Claim, outcome: &State<String>) -> Result<(), StoreError> {
        let claims = &mut self.state().claims;
        if let Some(standing) = claims.get_mut(&claim.key).filter(|standing| standing.is_open_for(claim)) {
            *standing = Record::new(claim, outcome.clone());
        }
        Ok(())
    }
}

#[async_trait]
impl SettleQueue for MemoryStore {
    async fn send(&self, line: &LedgerLine) -> Result<(), StoreError> {
        self.state().settle_queue.push_back(line.clone());
        Ok(())
    }
}
