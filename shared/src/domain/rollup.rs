//! Usage, summed: what each key used in one partition of the ledger, by user and model.
//!
//! A rollup is always a fold of all the lines there are, never an addition to an older one, so a
//! line that is seen twice, late or out of order counts once.
#![deny(clippy::float_arithmetic)]

mod cache_use;
mod minutes;
mod summary;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::id::AttemptId;
use super::ledger::{LedgerLine, Outcome, Quality};
use super::money::{MoneyError, NanoUsd};
use super::partition::Partition;

pub use cache_use::CacheUse;
use cache_use::CacheUses;
pub use minutes::Minutes;
use summary::Requests;
pub use summary::{KeyUse, Summary, Tiers, Times};

/// Bytes of the pairs of user and model that a rollup tells apart, since a stored item holds 400 KB.
/// Those that cost least beyond it are one pair: nobody and [`OTHERS`].
pub const PAIRS_BYTES_MAX: usize = 300_000;
/// What the counts of a pair take at most, beside its names.
const COUNTS_BYTES: usize = 250;
/// Stands for models, and cannot be the name of one.
pub const OTHERS: &str = "*";

/// What one key used of the requests of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rollup {
    /// Ledger writes that are in it: one for each line, and one more for each that is exact. Lines
    /// are never removed and an estimate becomes exact once, so it only grows, and of two rollups
    /// of the same key and partition the one that saw every line has the greater.
    pub version: u64,
    pub tenant: String,
    pub key_id: String,
    /// Hours since the epoch.
    pub hour: i64,
    pub shard: u8,
    /// Distinct requests that reached a provider or the cache.
    pub requests: u64,
    /// When they came in. None in rollups that were written before minutes were told apart.
    #[serde(default, skip_serializing_if = "Minutes::is_empty")]
    pub minutes: Minutes,
    pub users: Vec<UserUse>,
    /// What the cache was to the requests, by `provider/model`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cache: BTreeMap<String, CacheUse>,
}

impl Rollup {
    fn is_of(&self, partition: &Partition) -> bool {
        (self.hour, self.shard, &self.tenant) == (partition.hour, partition.shard, &partition.tenant)
    }

    /// What all of it cost.
    pub fn cost(&self) -> NanoUsd {
        let each = self.users.iter().flat_map(|of| of.models.values()).map(|of| of.cost.nano());
        NanoUsd::from_nano(each.fold(0, i64::saturating_add))
    }

    /// The same without upper bounds.
    pub fn exact_cost(&self) -> NanoUsd {
        let models = self.users.iter().flat_map(|of| of.models.values());
        let each = models.map(|of| of.cost.nano().saturating_sub(of.estimated.nano()));
        NanoUsd::from_nano(each.fold(0, i64::saturating_add))
    }
}

/// The share of one user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserUse {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    pub requests: u64,
    /// By `provider/model`. A request that fell back is one of each model that it was sent to.
    pub models: BTreeMap<String, ModelUse>,
}

/// What one model was asked and what it cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelUse {
    /// Distinct.
    pub requests: u64,
    /// Calls to the provider, those that failed included.
    pub attempts: u64,
    /// Requests answered from the cache.
    pub cache_hits: u64,
    /// All input, what a provider's cache knew included.
    pub input: u64,
    pub output: u64,
    /// The part of `input` that a provider's cache knew.
    pub cached: u64,
    /// The part of `output` spent on reasoning.
    pub reasoning: u64,
    pub cost: NanoUsd,
    /// The part of `cost` that is an upper bound.
    pub estimated: NanoUsd,
}

impl ModelUse {
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn add(&mut self, other: &ModelUse) -> Result<(), MoneyError> {
        self.requests = self.requests.saturating_add(other.requests);
        self.attempts = self.attempts.saturating_add(other.attempts);
        self.cache_hits = self.cache_hits.saturating_add(other.cache_hits);
        self.input = self.input.saturating_add(other.input);
        self.output = self.output.saturating_add(other.output);
        self.cached = self.cached.saturating_add(other.cached);
        self.reasoning = self.reasoning.saturating_add(other.reasoning);
        self.cost = self.cost.checked_add(other.cost)?;
        self.estimated = self.estimated.checked_add(other.estimated)?;
        Ok(())
    }

    fn of_line(line: &LedgerLine) -> Self {
        let is = |outcome| u64::from(line.outcome == outcome);
        ModelUse {
            requests: 0,
            attempts: 1 - is(Outcome::Abandoned) - is(Outcome::CacheHit),
            cache_hits: is(Outcome::CacheHit),
            input: line.usage.input(),
            output: line.usage.output,
            cached: line.usage.cache_read,
            reasoning: line.usage.reasoning,
            cost: line.amount,
            estimated: match line.quality {
                Quality::Exact => NanoUsd::ZERO,
                Quality::Estimated => line.amount,
            },
        }
    }
}

/// Rollups in the making, of any lines in any order; each line may be given once.
#[derive(Clone, Debug, Default)]
pub struct Fold {
    rows: BTreeMap<(Partition, String), Row>,
    requests: BTreeMap<Partition, Requests>,
}

/// What lines came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// By partition and key.
    pub rollups: Vec<Rollup>,
    /// One for each partition; it is one of all keys where lines of all keys were given.
    pub summaries: Vec<Summary>,
}

#[derive(Clone, Debug, Default)]
struct Row {
    version: u64,
    cache: CacheUses,
    requests: BTreeSet<AttemptId>,
    pairs: BTreeMap<(Option<String>, String), Pair>,
}

/// One user and one model.
#[derive(Clone, Debug, Default)]
struct Pair {
    requests: BTreeSet<AttemptId>,
    sum: ModelUse,
}

impl Fold {
    /// # Errors
    /// [`MoneyError::Overflow`] when the costs do not fit 64 bits.
    pub fn add(&mut self, line: &LedgerLine) -> Result<(), MoneyError> {
        self.requests.entry(line.partition()).or_default().add(line);
        let row = self.rows.entry((line.partition(), line.key_id.clone())).or_default();
        row.cache.add(line);
        row.version += if line.quality == Quality::Exact { 2 } else { 1 };
        let pair = row.pairs.entry((line.user.clone(), line.model.clone())).or_default();
        pair.sum.add(&ModelUse::of_line(line))?;
        // What was never sent anywhere is no request of anything.
        if line.outcome != Outcome::Abandoned {
            pair.requests.insert(line.request);
            row.requests.insert(line.request);
        }
        Ok(())
    }

    /// # Errors
    /// As [`Fold::add`].
    pub fn rollups(self) -> Result<Vec<Rollup>, MoneyError> {
        self.rows.into_iter().map(|((partition, key_id), row)| row.close(partition, key_id)).collect()
    }

    /// The rollups and, of each partition, what all of them come to.
    ///
    /// # Errors
    /// As [`Fold::add`].
    pub fn close(mut self) -> Result<Folded, MoneyError> {
        let requests = std::mem::take(&mut self.requests);
        let rollups = self.rollups()?;
        let summarised = requests.iter().map(|(partition, seen)| {
            let own = rollups.iter().filter(|rollup| rollup.is_of(partition));
            Summary::of(partition, own, seen)
        });
        let summaries = summarised.collect::<Result<_, _>>()?;
        Ok(Folded { rollups, summaries })
    }
}

impl Row {
    fn close(mut self, partition: Partition, key_id: String) -> Result<Rollup, MoneyError> {
        self.merge_beyond(PAIRS_BYTES_MAX)?;
        let mut users: BTreeMap<Option<String>, BTreeMap<String, Pair>> = BTreeMap::new();
        for ((user, model), pair) in self.pairs {
            users.entry(user).or_default().insert(model, pair);
        }
        let Partition { tenant, hour, shard } = partition;
        Ok(Rollup {
            version: self.version,
            tenant,
            key_id,
            hour,
            shard,
            requests: self.requests.len() as u64,
            minutes: Minutes::of(self.requests.iter().map(|request| request.at())),
            users: users.into_iter().map(|(user, models)| of_user(user, models)).collect(),
            cache: self.cache.close(),
        })
    }

    fn merge_beyond(&mut self, most: usize) -> Result<(), MoneyError> {
        let mut dearest: Vec<_> =
            self.pairs.iter().map(|(key, pair)| (Reverse(pair.sum.cost), key.clone())).collect();
        dearest.sort_unstable();
        let mut bytes = 0_usize;
        for (_, key) in dearest {
            bytes += COUNTS_BYTES + key.0.as_ref().map_or(0, String::len) + key.1.len();
            if bytes > most
                && let Some(pair) = self.pairs.remove(&key)
            {
                let rest = self.pairs.entry((None, OTHERS.to_owned())).or_default();
                rest.requests.extend(pair.requests);
                rest.sum.add(&pair.sum)?;
            }
        }
        Ok(())
    }
}

fn of_user(user: Option<String>, models: BTreeMap<String, Pair>) -> UserUse {
    let requests: BTreeSet<AttemptId> = models.values().flat_map(|pair| &pair.requests).copied().collect();
    let counted = |pair: Pair| ModelUse { requests: pair.requests.len() as u64, ..pair.sum };
    let models = models.into_iter().map(|(model, pair)| (model, counted(pair))).collect();
    UserUse { user, requests: requests.len() as u64, models }
}

#[cfg(test)]
mod tests;
