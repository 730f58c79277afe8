//! What the cache was to the requests of a rollup.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::OTHERS;
use crate::domain::ledger::{LedgerLine, Outcome};
use crate::domain::notes::{CacheStatus, Notes};

/// Models that a rollup tells apart here; those with the fewest requests beyond it are one. Each takes
/// up to a kilobyte of an item that holds 400.
const MODELS_MAX: usize = 60;

/// Each request counts once, whatever was tried for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CacheUse {
    /// Answered from the exact tier.
    pub exact: u64,
    /// Answered with the answer to a near question.
    pub semantic: u64,
    pub miss: u64,
    /// Passed by, by reason.
    pub bypass: BTreeMap<String, u64>,
    /// What the search for near questions came to, by name.
    pub near: BTreeMap<String, u64>,
}

impl CacheUse {
    pub fn add(&mut self, other: &CacheUse) {
        self.exact = self.exact.saturating_add(other.exact);
        self.semantic = self.semantic.saturating_add(other.semantic);
        self.miss = self.miss.saturating_add(other.miss);
        add_all(&mut self.bypass, &other.bypass);
        add_all(&mut self.near, &other.near);
    }

    fn requests(&self) -> u64 {
        self.exact + self.semantic + self.miss + self.bypass.values().sum::<u64>()
    }

    /// None where the line says nothing of the cache: it is a later attempt, or no chat.
    fn of_line(line: &LedgerLine) -> Option<Self> {
        let is_first = |notes: &&Notes| notes.attempt <= 1 && line.outcome != Outcome::Abandoned;
        let notes = line.notes.as_ref().filter(is_first)?;
        let mut seen = CacheUse::default();
        match (notes.cache, &notes.bypass) {
            (CacheStatus::Exact, _) => seen.exact = 1,
            (CacheStatus::Semantic, _) => seen.semantic = 1,
            (CacheStatus::Miss, _) => seen.miss = 1,
            (CacheStatus::Bypass, Some(reason)) => seen.bypass = BTreeMap::from([(reason.clone(), 1)]),
            // Embeddings have no cache to pass by.
            (CacheStatus::Bypass, None) => return None,
        }
        seen.near = notes.near.iter().map(|near| (near.came.clone(), 1)).collect();
        Some(seen)
    }
}

fn add_all(sums: &mut BTreeMap<String, u64>, more: &BTreeMap<String, u64>) {
    for (name, count) in more {
        let sum = sums.entry(name.clone()).or_default();
        *sum = sum.saturating_add(*count);
    }
}

/// By `provider/model`.
#[derive(Clone, Debug, Default)]
pub(super) struct CacheUses(BTreeMap<String, CacheUse>);

impl CacheUses {
    pub(super) fn add(&mut self, line: &LedgerLine) {
        if let Some(seen) = CacheUse::of_line(line) {
            self.0.entry(line.model.clone()).or_default().add(&seen);
        }
    }

    pub(super) fn close(mut self) -> BTreeMap<String, CacheUse> {
        let mut busiest: Vec<_> =
            self.0.iter().map(|(model, used)| (Reverse(used.requests()), model.clone())).collect();
        busiest.sort_unstable();
        for (_, model) in busiest.into_iter().skip(MODELS_MAX) {
            if let Some(used) = self.0.remove(&model) {
                self.0.entry(OTHERS.to_owned()).or_default().add(&used);
            }
        }
        self.0
    }
}
