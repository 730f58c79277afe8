//! The ledger in memory.

use async_trait::async_trait;

use super::MemoryStore;
use crate::domain::counter;
use crate::domain::id::AttemptId;
use crate::domain::ledger::{LedgerLine, Quality};
use crate::domain::partition::Partition;
use crate::domain::settlement::corrections;
use crate::domain::time::Timestamp;
use crate::ports::{LineMark, LinePage, PutLine, ReadLedger, StoreError, WriteLedger};

/// Lines on a page: few, so that tests turn pages as a store of megabytes does.
const PAGE: usize = 7;

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

    async fn find(&self, tenant: &str, line: LineMark) -> Result<Option<LedgerLine>, StoreError> {
        let state = self.state();
        let found = state.lines.get(&line.id).filter(|found| found.tenant == tenant && mark(found) == line);
        Ok(found.cloned())
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
    async fn of_key(
        &self,
        key_id: &str,
        since: Timestamp,
        most: usize,
    ) -> Result<Vec<LedgerLine>, StoreError> {
        let state = self.state();
        let ids = state.lines_of_key.get(key_id).map(Vec::as_slice).unwrap_or_default();
        let lines = ids.iter().filter_map(|id| state.lines.get(id));
        let mut lines: Vec<LedgerLine> = lines.filter(|line| line.request.at() >= since).cloned().collect();
        lines.sort_by_key(mark);
        lines.truncate(most);
        Ok(lines)
    }

    async fn page(&self, partition: &Partition, from: Option<&LineMark>) -> Result<LinePage, StoreError> {
        let state = self.state();
        let here = state.lines.values().filter(|line| line.partition() == *partition);
        let mut lines: Vec<LedgerLine> = here.cloned().collect();
        lines.sort_by_key(mark);
        lines.retain(|line| from.is_none_or(|from| *from < mark(line)));
        let is_more = lines.len() > PAGE;
        lines.truncate(PAGE);
        Ok(LinePage { next: lines.last().filter(|_| is_more).map(mark), lines })
    }

    async fn of_request(&self, tenant: &str, request: AttemptId) -> Result<Vec<LedgerLine>, StoreError> {
        let state = self.state();
        let lines = state.lines.values().filter(|line| line.request == request && line.tenant == tenant);
        Ok(lines.cloned().collect())
    }
}

fn mark(line: &LedgerLine) -> LineMark {
    LineMark { request: line.request, id: line.id }
}
