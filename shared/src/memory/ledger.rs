//! The ledger in memory.

use async_trait::async_trait;

use super::MemoryStore;
use crate::domain::counter;
use crate::domain::id::AttemptId;
use crate::domain::ledger::{LedgerLine, Quality};
use crate::domain::settlement::corrections;
use crate::domain::time::Timestamp;
use crate::ports::{PutLine, ReadLedger, StoreError, WriteLedger};

#[async_trait]
impl WriteLedger for MemoryStore {
    async fn put(&self, line: &LedgerLine) -> Result<PutLine, StoreError> {
        let mut state = self.state();
        if let Some(standing) = state.lines.get(&line.id) {
            return Ok(PutLine::Existing(Box::new(standing.clone())));
        }
        state.lines.insert(line.id, line.clone());
        state.lines_of_key.entry(line.key_id.clone()).or_default().push(line.id);
        Ok(PutLine::Inserted)
    }

    async fn find(&self, tenant: &str, id: AttemptId) -> Result<Option<LedgerLine>, StoreError> {
        Ok(self.state().lines.get(&id).filter(|line| line.tenant == tenant).cloned())
    }

    async fn correct(&self, estimated: &LedgerLine, exact: &LedgerLine) -> Result<bool, StoreError> {
        let mut state = self.state();
        let stands = state
            .lines
            .get(&exact.id)
            .is_some_and(|line| line.quality == Quality::Estimated && line.amount == estimated.amount);
        if !stands {
            return Ok(false);
        }
        let mut corrected = Vec::new();
        for change in corrections(estimated, exact) {
            let counter = state.counters.get(&change.key);
            match counter
                .and_then(|counter| counter::correct(counter, exact.id, change.estimated, change.exact))
            {
                Some(next) => corrected.push((change.key, next)),
                None => return Ok(false),
            }
        }
        state.counters.extend(corrected);
        state.lines.insert(exact.id, exact.clone());
        Ok(true)
    }
}

#[async_trait]
impl ReadLedger for MemoryStore {
    async fn of_key(&self, key_id: &str, since: Timestamp) -> Result<Vec<LedgerLine>, StoreError> {
        let state = self.state();
        let ids = state.lines_of_key.get(key_id).map(Vec::as_slice).unwrap_or_default();
        let lines = ids.iter().filter_map(|id| state.lines.get(id));
        let mut lines: Vec<LedgerLine> = lines.filter(|line| line.id.at() >= since).cloned().collect();
        lines.sort_by_key(|line| line.id);
        Ok(lines)
    }
}
