//! Counters in memory: the domain's transitions, one at a time.

use async_trait::async_trait;

use super::MemoryStore;
use crate::domain::counter::{self, Allowance, Close, Counter, CounterKey, Reserve};
use crate::domain::id::AttemptId;
use crate::domain::time::{Period, Timestamp};
use crate::ports::{CounterPage, Counters, ListCounters, Mark, NoteRefusal, ReserveReply, StoreError};

/// Counters that one page of a listing looks at.
const PAGE: usize = 1_000;

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

    async fn allow(&self, key: &CounterKey, to: &Allowance) -> Result<(), StoreError> {
        let mut state = self.state();
        if let Some(next) = counter::allow(state.counters.get(key), to) {
            state.counters.insert(key.clone(), next);
        }
        Ok(())
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

    async fn fence(&self, key: &CounterKey, id: AttemptId) -> Result<bool, StoreError> {
        let mut state = self.state();
        let standing = state.counters.get(key);
        if let Some(next) = counter::fence(standing, id) {
            state.counters.insert(key.clone(), next);
            return Ok(true);
        }
        Ok(standing.is_none_or(|counter| !counter.live.contains_key(&id)))
    }
}

#[async_trait]
impl NoteRefusal for MemoryStore {
    async fn note_refusal(&self, key: &CounterKey, at: Timestamp) -> Result<(), StoreError> {
        let mut state = self.state();
        if let Some(next) = state.counters.get(key).and_then(|standing| counter::note_refusal(standing, at)) {
            state.counters.insert(key.clone(), next);
        }
        Ok(())
    }
}

#[async_trait]
impl ListCounters for MemoryStore {
    async fn in_use(&self, now: Timestamp, from: Option<&Mark>) -> Result<CounterPage, StoreError> {
        let position = from.map_or(Ok(0), |mark| mark.0.parse::<usize>());
        let position = position.map_err(|_| StoreError::Rejected("no mark of this store".to_owned()))?;
        let state = self.state();
        let page = state.counters.iter().skip(position).take(PAGE);
        let labels = Period::labels_around(now);
        let used = page.filter(|(key, counter)| counter.is_in_use(labels.contains(&key.period)));
        let counters = used.map(|(key, counter)| (key.clone(), counter.clone())).collect();
        let end = position.saturating_add(PAGE);
        let next = (end < state.counters.len()).then(|| Mark(end.to_string()));
        Ok(CounterPage { counters, next })
    }
}
