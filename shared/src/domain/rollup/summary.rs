//! What all keys used of one partition together, so that a picture of everything costs no read a key.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{CacheUse, ModelUse, OTHERS, Rollup};
use crate::domain::histogram::Histogram;
use crate::domain::id::AttemptId;
use crate::domain::ledger::{LedgerLine, Outcome};
use crate::domain::money::{MoneyError, NanoUsd};
use crate::domain::partition::Partition;

/// Keys and models that a summary tells apart; those that cost least beyond it are [`OTHERS`]. A key takes
/// some 60 bytes of an item that holds 400 KB, a model some 250.
const KEYS_MAX: usize = 2_000;
const MODELS_MAX: usize = 300;

/// What the requests of one partition used. Like a rollup it is a fold of all lines there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The sum of the versions of the partition's rollups: of two summaries of one partition the one that
    /// saw every line has the greater.
    pub version: u64,
    pub tenant: String,
    /// Hours since the epoch.
    pub hour: i64,
    pub shard: u8,
    /// Distinct requests that reached a provider or the cache.
    pub requests: u64,
    /// Requests for which another model than the first was to answer.
    pub fallbacks: u64,
    /// By key id.
    pub keys: BTreeMap<String, KeyUse>,
    /// By `provider/model`.
    pub models: BTreeMap<String, ModelUse>,
    pub cache: Tiers,
    pub times: Times,
}

/// What one key used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u64, u64, NanoUsd)", into = "(u64, u64, u64, NanoUsd)")]
pub struct KeyUse {
    pub requests: u64,
    pub input: u64,
    pub output: u64,
    pub cost: NanoUsd,
}

impl From<(u64, u64, u64, NanoUsd)> for KeyUse {
    fn from((requests, input, output, cost): (u64, u64, u64, NanoUsd)) -> Self {
        KeyUse { requests, input, output, cost }
    }
}

impl From<KeyUse> for (u64, u64, u64, NanoUsd) {
    fn from(used: KeyUse) -> Self {
        (used.requests, used.input, used.output, used.cost)
    }
}

impl KeyUse {
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn add(&mut self, other: &KeyUse) -> Result<(), MoneyError> {
        self.requests = self.requests.saturating_add(other.requests);
        self.input = self.input.saturating_add(other.input);
        self.output = self.output.saturating_add(other.output);
        self.cost = self.cost.checked_add(other.cost)?;
        Ok(())
    }
}

/// What the cache was to the requests, by tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiers {
    pub exact: u64,
    pub semantic: u64,
    pub miss: u64,
    pub bypass: u64,
}

impl Tiers {
    pub fn add(&mut self, other: &Tiers) {
        self.exact = self.exact.saturating_add(other.exact);
        self.semantic = self.semantic.saturating_add(other.semantic);
        self.miss = self.miss.saturating_add(other.miss);
        self.bypass = self.bypass.saturating_add(other.bypass);
    }
}

impl From<&CacheUse> for Tiers {
    fn from(used: &CacheUse) -> Self {
        let bypass = used.bypass.values().fold(0, |sum: u64, count| sum.saturating_add(*count));
        Tiers { exact: used.exact, semantic: used.semantic, miss: used.miss, bypass }
    }
}

/// Where the time of requests went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Times {
    /// The gateway's own, before it asked a provider or answered from the cache.
    pub gateway: Histogram,
    /// From dispatch to the first content of the provider that answered.
    pub first_token: Histogram,
    /// All of it, up to the end of the answer.
    pub total: Histogram,
}

impl Times {
    pub fn add(&mut self, other: &Times) {
        self.gateway.add(&other.gateway);
        self.first_token.add(&other.first_token);
        self.total.add(&other.total);
    }
}

/// The requests of a partition in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests(BTreeMap<AttemptId, Seen>);

#[derive(Clone, Debug, Default)]
struct Seen {
    model: String,
    fell_back: bool,
    gateway: Option<u64>,
    first_token: Option<u64>,
    upstream: u64,
}

impl Requests {
    pub(super) fn add(&mut self, line: &LedgerLine) {
        let for_lookup = line.notes.as_ref().is_some_and(|notes| notes.for_lookup);
        // A vector is no attempt at an answer, and its time is in that of the search.
        if line.outcome == Outcome::Abandoned || for_lookup {
            return;
        }
        let seen = self.0.entry(line.request).or_default();
        match seen.model.is_empty() {
            true => seen.model.clone_from(&line.model),
            false => seen.fell_back |= seen.model != line.model,
        }
        let Some(notes) = &line.notes else { return };
        seen.fell_back |= !notes.skipped.is_empty();
        let spent = &notes.spent;
        if notes.attempt <= 1 {
            seen.gateway = Some(spent.auth.max(spent.cache) + spent.lookup.unwrap_or_default() + spent.admit);
        }
        seen.upstream = seen.upstream.saturating_add(spent.upstream.unwrap_or_default());
        if matches!(line.outcome, Outcome::Completed | Outcome::Stopped) {
            seen.first_token = spent.first_token;
        }
    }

    fn fallbacks(&self) -> u64 {
        self.0.values().filter(|seen| seen.fell_back).count() as u64
    }

    fn times(&self) -> Times {
        let mut times = Times::default();
        for seen in self.0.values() {
            let Some(gateway) = seen.gateway else { continue };
            times.gateway.count(gateway);
            times.total.count(gateway.saturating_add(seen.upstream));
            seen.first_token.into_iter().for_each(|micros| times.first_token.count(micros));
        }
        times
    }
}

impl Summary {
    /// What all keys of the partition were charged.
    pub fn cost(&self) -> NanoUsd {
        let sum = self.keys.values().map(|used| used.cost.nano()).fold(0, i64::saturating_add);
        NanoUsd::from_nano(sum)
    }

    /// Of all rollups of a partition.
    pub(super) fn of<'a>(
        partition: &Partition,
        mut rollups: impl Iterator<Item = &'a Rollup>,
        requests: &Requests,
    ) -> Result<Self, MoneyError> {
        let mut summary = Summary {
            tenant: partition.tenant.clone(),
            hour: partition.hour,
            shard: partition.shard,
            fallbacks: requests.fallbacks(),
            times: requests.times(),
            ..Summary::default()
        };
        rollups.try_for_each(|rollup| summary.take(rollup))?;
        summary.merge_beyond()?;
        Ok(summary)
    }

    fn take(&mut self, rollup: &Rollup) -> Result<(), MoneyError> {
        self.version += rollup.version;
        self.requests += rollup.requests;
        let of_key = self.keys.entry(rollup.key_id.clone()).or_default();
        of_key.requests += rollup.requests;
        for (model, used) in rollup.users.iter().flat_map(|user| &user.models) {
            of_key.add(&KeyUse { requests: 0, input: used.input, output: used.output, cost: used.cost })?;
            self.models.entry(model.clone()).or_default().add(used)?;
        }
        rollup.cache.values().for_each(|used| self.cache.add(&used.into()));
        Ok(())
    }

    fn merge_beyond(&mut self) -> Result<(), MoneyError> {
        for key in beyond(&self.keys, KEYS_MAX, |used| used.cost) {
            if let Some(used) = self.keys.remove(&key) {
                self.keys.entry(OTHERS.to_owned()).or_default().add(&used)?;
            }
        }
        for model in beyond(&self.models, MODELS_MAX, |used| used.cost) {
            if let Some(used) = self.models.remove(&model) {
                self.models.entry(OTHERS.to_owned()).or_default().add(&used)?;
            }
        }
        Ok(())
    }
}

/// The names of all but the `most` dearest.
fn beyond<T>(uses: &BTreeMap<String, T>, most: usize, cost: impl Fn(&T) -> NanoUsd) -> Vec<String> {
    let mut dearest: Vec<_> = uses.iter().map(|(name, used)| (Reverse(cost(used)), name)).collect();
    dearest.sort_unstable();
    dearest.into_iter().skip(most).map(|(_, name)| name.clone()).collect()
}

#[cfg(test)]
mod tests;
