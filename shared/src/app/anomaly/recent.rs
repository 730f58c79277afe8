//! The lines of the last minute, gathered while a partition is folded.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::anomaly::{Bucket, Slice, WINDOW, slice};
use crate::domain::id::AttemptId;
use crate::domain::ledger::{LedgerLine, Outcome, Quality};
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;

/// What happened since a moment, by key.
#[derive(Clone, Debug)]
pub struct Recent {
    since: Slice,
    keys: BTreeMap<String, Vec<Line>>,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    slice: Slice,
    request: AttemptId,
    /// Without upper bounds.
    cost: NanoUsd,
}

impl Recent {
    /// Nothing yet, of the minute before `now`.
    pub fn new(now: Timestamp) -> Self {
        Recent { since: slice(now - WINDOW), keys: BTreeMap::new() }
    }

    /// Takes a line in, if it was written in that minute and says that something was used.
    pub fn add(&mut self, line: &LedgerLine) {
        let slice = slice(line.at);
        if slice < self.since || line.outcome == Outcome::Abandoned {
            return;
        }
        let cost = match line.quality {
            Quality::Exact => line.amount,
            Quality::Estimated => NanoUsd::ZERO,
        };
        let lines = match self.keys.get_mut(&line.key_id) {
            Some(lines) => lines,
            None => self.keys.entry(line.key_id.clone()).or_default(),
        };
        lines.push(Line { slice, request: line.request, cost });
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// The lines of one key in slices. A request that was tried several times is one, in the first.
    /// No line counts more than `most` nano-dollars where they are clipped.
    pub(super) fn buckets(&self, key: &str, most: i64) -> Vec<Bucket> {
        let mut lines: Vec<Line> = self.keys.get(key).cloned().unwrap_or_default();
        lines.sort_by_key(|line| line.slice);
        let mut requests = BTreeSet::new();
        let mut buckets: BTreeMap<Slice, Bucket> = BTreeMap::new();
        for line in lines {
            let bucket = buckets.entry(line.slice).or_default();
            bucket.slice = line.slice;
            bucket.requests += u64::from(requests.insert(line.request));
            bucket.cost = bucket.cost.saturating_add(line.cost.nano());
            bucket.clipped = bucket.clipped.saturating_add(line.cost.nano().min(most));
        }
        buckets.into_values().collect()
    }
}
