//! The hours of a key that what is usual is read from.

use serde::{Deserialize, Serialize};

use crate::domain::money::NanoUsd;
use crate::domain::rollup::{Minutes, Rollup};

/// Hours that are kept: four weeks.
pub const KEPT_HOURS: i64 = 4 * 168;
/// A line counts at most this many times what a request costs on the average.
const CLIP: i64 = 16;
/// Hours that a key whose first hour is known must have before it is judged at all.
const YOUNG: i64 = 24;

/// One hour of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    /// What was billed, without what is an upper bound.
    pub cost: NanoUsd,
    pub requests: u64,
    /// Those of its busiest minute; all of them where the rollups did not tell minutes apart.
    pub busiest: u64,
}

/// Closed hours of a key without a gap, the oldest first, at most [`KEPT_HOURS`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct History {
    /// The first hour, counted from the epoch.
    first: i64,
    hours: Vec<Hour>,
}

/// Flat, since each list within a list would take bytes of its own: nano-dollars, requests and those of the
/// busiest minute by turns.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    first: i64,
    /// An item that was written before there were minutes has none, and is made of the rollups again.
    #[serde(default)]
    triples: Vec<i64>,
}

impl History {
    /// The hour after the last; none before the first.
    pub fn next(&self) -> Option<i64> {
        (!self.hours.is_empty()).then(|| self.end())
    }

    /// Where it is too short to say what is usual.
    pub fn is_young(&self) -> bool {
        (self.hours.len() as i64) < YOUNG
    }

    pub(super) fn end(&self) -> i64 {
        self.first + self.hours.len() as i64
    }

    /// None before the first hour and after the last.
    pub(super) fn at(&self, hour: i64) -> Option<Hour> {
        let index = usize::try_from(hour.checked_sub(self.first)?).ok()?;
        self.hours.get(index).copied()
    }

    pub(super) fn latest(&self, most: usize) -> &[Hour] {
        &self.hours[self.hours.len().saturating_sub(most)..]
    }

    /// With their hours from the epoch.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (i64, &Hour)> {
        (self.first..).zip(&self.hours)
    }

    pub(super) fn hours(&self) -> &[Hour] {
        &self.hours
    }

    /// What a request costs on the average, in nano-dollars.
    pub(super) fn per_request(&self) -> u64 {
        let sums = self.hours.iter().fold((0_u64, 0_u64), |(cost, requests), hour| {
            let of_hour = u64::try_from(hour.cost.nano()).unwrap_or(0);
            (cost.saturating_add(of_hour), requests.saturating_add(hour.requests))
        });
        sums.0.checked_div(sums.1).unwrap_or(0)
    }

    /// What one line counts at most, in nano-dollars. A key that never cost anything has nothing to compare
    /// with.
    pub fn clip(&self) -> i64 {
        clip(self.per_request())
    }

    /// Replaces what it says of `from..to` by these rollups, of which there may be several an hour. An hour
    /// without any was without requests. Hours before the first one that had some are no part of a history.
    #[must_use]
    pub fn with(&self, from: i64, to: i64, rollups: &[Rollup]) -> History {
        let count = usize::try_from(to - from).unwrap_or(0);
        let mut sums = vec![(Hour::default(), Minutes::default()); count];
        for rollup in rollups {
            let index = rollup.hour.checked_sub(from).and_then(|index| usize::try_from(index).ok());
            if let Some((sum, minutes)) = index.and_then(|index| sums.get_mut(index)) {
                sum.requests = sum.requests.saturating_add(rollup.requests);
                let cost = sum.cost.nano().saturating_add(rollup.exact_cost().nano());
                sum.cost = NanoUsd::from_nano(cost);
                if rollup.minutes.is_empty() {
                    minutes.add(&Minutes::in_one(rollup.requests));
                } else {
                    minutes.add(&rollup.minutes);
                }
            }
        }
        let hours: Vec<Hour> =
            sums.into_iter().map(|(hour, minutes)| Hour { busiest: minutes.busiest(), ..hour }).collect();
        self.extended(from, &hours)
    }

    /// With `hours` from `from` on in the place of what it says of them and of all later ones.
    #[must_use]
    pub fn extended(&self, from: i64, hours: &[Hour]) -> History {
        let end = from + hours.len() as i64;
        let start = if self.hours.is_empty() { from } else { self.first };
        let mut all: Vec<Hour> = (start..from).map(|hour| self.at(hour).unwrap_or_default()).collect();
        let skipped = usize::try_from(start - from).unwrap_or(0).min(hours.len());
        all.extend(&hours[skipped..]);
        let old = all.len().saturating_sub(KEPT_HOURS as usize);
        let idle = all.iter().position(|hour| hour.requests > 0).unwrap_or(all.len());
        // What was kept before began with a request, so only a history that begins can be idle there.
        let from = if self.hours.is_empty() { old.max(idle) } else { old };
        let all = all.split_off(from);
        History { first: end - all.len() as i64, hours: all }
    }
}

/// What one line counts at most where a request costs so much.
pub(super) fn clip(per_request: u64) -> i64 {
    let most = i64::try_from(per_request).unwrap_or(i64::MAX).saturating_mul(CLIP);
    if most == 0 { i64::MAX } else { most }
}

impl From<History> for Stored {
    fn from(history: History) -> Self {
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let triple = |hour: &Hour| [hour.cost.nano(), whole(hour.requests), whole(hour.busiest)];
        Stored { first: history.first, triples: history.hours.iter().flat_map(triple).collect() }
    }
}

impl From<Stored> for History {
    fn from(stored: Stored) -> Self {
        let hours = stored.triples.chunks_exact(3).map(|triple| Hour {
            cost: NanoUsd::from_nano(triple[0]),
            requests: u64::try_from(triple[1]).unwrap_or(0),
            busiest: u64::try_from(triple[2]).unwrap_or(0),
        });
        History { first: stored.first, hours: hours.collect() }
    }
}
