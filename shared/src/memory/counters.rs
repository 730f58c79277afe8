//! Counters in memory: the domain's transitions, one at a time.

use async_trait::async_trait;

use super::MemoryStore;
use crate::domain::counter::{self, Close, Counter, CounterKey, Reserve};
use crate::ports::{Counters, ReserveReply, StoreError};

#[async_trait]
impl Counters for MemoryStore {
    async fn reserve(&self, write: &Reserve) -> Result<ReserveReply, StoreError> {
        let mut state = self.state();
        let standing = state.counters.get(&write.key);
        match counter::reserve(standing, write) {
            None => Ok(ReserveReply::Refused(standing.cloned())),
            Some(next) => {
                state.counters.insert(write.key.clone(), next.clone());
                Ok(ReserveReply::Held(next))
            }
        }
    }

    async fn read(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError> {
        Ok(self.state().counters.get(key).cloned())
    }

    async fn close(&self, write: &Close) -> Result<(), StoreError> {
        let mut state = self.state();
        if let Some(next) =
            state.counters.get(&write.key).and_then(|standing| counter::close(standing, write))
        {
            state.counters.insert(write.key.clone(), next);
        }
        Ok(())
    }
}
