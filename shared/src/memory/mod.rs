//! Every store in memory: what tests run against, and `tollgate dev --store memory`.
//!
//! It applies the domain's own transitions under one lock, so it is the reference the other
//! adapters are compared with. Nothing survives the process.

mod alerts;
mod audit;
mod counters;
mod keys;
mod ledger;
mod policies;
mod rest;
mod rollups;
mod semantic;
mod spend;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::alert::{AlertId, Entry};
use crate::domain::audit::{AuditId, Recorded};
use crate::domain::cache::CacheKey;
use crate::domain::counter::{Counter, CounterKey};
use crate::domain::id::AttemptId;
use crate::domain::idempotency::Record;
use crate::domain::key::KeyRecord;
use crate::domain::ledger::LedgerLine;
use crate::domain::policy::{ScopeName, ScopePolicy};
use crate::domain::rollup::{Rollup, Summary};
use crate::domain::time::Timestamp;
use crate::ports::{CachedAnswer, Versioned};

/// Entries the cache keeps; beyond that the ones that expire first go.
const ANSWERS_MAX: usize = 20_000;
/// Idempotency keys that are kept; beyond that the ones that are over go.
const CLAIMS_MAX: usize = 20_000;

/// All stores in one. Implements every store port.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    keys: BTreeMap<String, KeyRecord>,
    policies: BTreeMap<ScopeName, ScopePolicy>,
    counters: BTreeMap<CounterKey, Counter>,
    lines: BTreeMap<AttemptId, LedgerLine>,
    lines_of_key: BTreeMap<String, Vec<AttemptId>>,
    answers: BTreeMap<CacheKey, (CachedAnswer, Timestamp)>,
    breakers: BTreeMap<String, Versioned>,
    settle_queue: VecDeque<LedgerLine>,
    claims: BTreeMap<String, Record<String>>,
    /// By key, hour and shard.
    rollups: BTreeMap<(String, i64, u8), Rollup>,
    summaries: BTreeMap<(i64, u8, String), Summary>,
    folded: Option<Timestamp>,
    audit: BTreeMap<AuditId, Recorded>,
    semantic: semantic::Semantic,
    spend: spend::Spend,
    alerts: BTreeMap<AlertId, Entry>,
}

impl MemoryStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The oldest settlement nobody has taken yet.
    pub fn take_settlement(&self) -> Option<LedgerLine> {
        self.state().settle_queue.pop_front()
    }

    /// Every line, by id.
    pub fn lines(&self) -> Vec<LedgerLine> {
        self.state().lines.values().cloned().collect()
    }

    /// Every rollup, by key, hour and shard.
    pub fn rollups(&self) -> Vec<Rollup> {
        self.state().rollups.values().cloned().collect()
    }

    /// Every summary, by hour, shard and tenant.
    pub fn summaries(&self) -> Vec<Summary> {
        self.state().summaries.values().cloned().collect()
    }

    /// The counters and the lines as they stand, to read without a copy or to change behind the
    /// ports' back, as a test does that breaks the protocol on purpose.
    pub fn with_books<R>(
        &self,
        work: impl FnOnce(&mut BTreeMap<CounterKey, Counter>, &mut BTreeMap<AttemptId, LedgerLine>) -> R,
    ) -> R {
        let State { counters, lines, .. } = &mut *self.state();
        work(counters, lines)
    }

    /// Every counter.
    pub fn counters(&self) -> Vec<(CounterKey, Counter)> {
        self.state().counters.iter().map(|(key, counter)| (key.clone(), counter.clone())).collect()
    }
}
