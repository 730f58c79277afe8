//! Rollups in memory.

use std::ops::Range;

use async_trait::async_trait;

use super::MemoryStore;
use crate::domain::rollup::{Rollup, Summary};
use crate::domain::time::Timestamp;
use crate::ports::{ReadRollups, StoreError, WriteRollups};

#[async_trait]
impl WriteRollups for MemoryStore {
    async fn put(&self, rollup: &Rollup) -> Result<(), StoreError> {
        let mut state = self.state();
        let place = (rollup.key_id.clone(), rollup.hour, rollup.shard);
        let is_newer = state.rollups.get(&place).is_none_or(|standing| standing.version <= rollup.version);
        if is_newer {
            state.rollups.insert(place, rollup.clone());
        }
        Ok(())
    }

    async fn put_summary(&self, summary: &Summary) -> Result<(), StoreError> {
        let mut state = self.state();
        let place = (summary.hour, summary.shard, summary.tenant.clone());
        let is_newer = state.summaries.get(&place).is_none_or(|standing| standing.version <= summary.version);
        if is_newer {
            state.summaries.insert(place, summary.clone());
        }
        Ok(())
    }

    async fn note_folded(&self, at: Timestamp) -> Result<(), StoreError> {
        let mut state = self.state();
        state.folded = state.folded.max(Some(at));
        Ok(())
    }
}

#[async_trait]
impl ReadRollups for MemoryStore {
    async fn of_key(&self, key_id: &str, hours: Range<i64>) -> Result<Vec<Rollup>, StoreError> {
        let state = self.state();
        let of_key = state.rollups.values().filter(|rollup| rollup.key_id == key_id);
        Ok(of_key.filter(|rollup| hours.contains(&rollup.hour)).cloned().collect())
    }

    async fn of_day(&self, day: i64) -> Result<Vec<Summary>, StoreError> {
        let state = self.state();
        let of_day = state.summaries.values().filter(|summary| summary.hour.div_euclid(24) == day);
        Ok(of_day.cloned().collect())
    }

    async fn folded(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.state().folded)
    }
}
