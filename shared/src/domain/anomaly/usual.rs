//! What is usual for a key at an hour.

use super::history::{History, Hour};
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;

/// A line counts at most this many times what a request costs usually.
pub const CLIP: i64 = 16;
const WEEK: i64 = 168;
const DAY: i64 = 24;
/// What a key has done in every hour of the last day but for so many is usual, whatever the weeks say.
const EXCEPT: usize = 2;
/// The last hour says how busy this day is, up to so many times what the weeks say: who rises slowly is an
/// anomaly as well.
const BUSIER: u64 = 2;
/// A key of which less than a week is known has not shown its weekdays or its weekend yet. Everything it did
/// so far is usual, and this many times more: a Monday may be five times a Sunday.
const UNSHOWN: u64 = 3;
/// The deviation is taken to be this part of the median at least, since a few weeks can agree by chance.
const LEAST_DEVIATION: u64 = 4;
/// And this part where there are one or two, which cannot say how far weeks differ.
const UNKNOWN_DEVIATION: u64 = 3;
/// The standard deviation of a normal distribution is 1.4826 times its median absolute deviation.
const DEVIATION: (u64, u64) = (14_826, 10_000);

/// Sums of an hour that are usual, and how far they vary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usual {
    pub requests: Level,
    /// In nano-dollars.
    pub cost: Level,
    /// What a request costs on the average, in nano-dollars.
    pub per_request: u64,
}

/// Of one figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    pub median: u64,
    /// What the standard deviation would be were it normal.
    pub deviation: u64,
}

impl Usual {
    /// What is usual at a time by the hours before it, none where the key is too young to say. It is the
    /// same all through an hour.
    pub fn at(history: &History, now: Timestamp) -> Option<Usual> {
        if history.is_young() {
            return None;
        }
        let hour = now.hour();
        let (requests, cost) = (level(history, hour, requests_of), level(history, hour, cost_of));
        let sum = |of: fn(&Hour) -> u64| history.hours().iter().map(of).fold(0, u64::saturating_add);
        let per_request = sum(cost_of).checked_div(sum(requests_of)).unwrap_or(0);
        Some(Usual { requests, cost, per_request })
    }

    /// What one line counts, see [`CLIP`].
    pub fn clip(&self, cost: NanoUsd) -> NanoUsd {
        let most = i64::try_from(self.per_request).unwrap_or(i64::MAX).saturating_mul(CLIP);
        // A key that never cost anything has nothing to compare with.
        if most == 0 { cost } else { NanoUsd::from_nano(cost.nano().min(most)) }
    }
}

fn requests_of(hour: &Hour) -> u64 {
    hour.requests
}

fn cost_of(hour: &Hour) -> u64 {
    u64::try_from(hour.cost.nano()).unwrap_or(0)
}

fn level(history: &History, hour: i64, of: fn(&Hour) -> u64) -> Level {
    if (history.hours().len() as i64) < WEEK + DAY {
        let most = history.hours().iter().map(of).max().unwrap_or(0);
        return Level { median: most.saturating_mul(UNSHOWN), deviation: 0 };
    }
    let mut deviations = Vec::new();
    let mut highest = 0;
    for near in [hour - 1, hour, hour + 1] {
        let mut of_weeks: Vec<u64> =
            (1..=4).filter_map(|week| history.at(near - week * WEEK)).map(|hour| of(&hour)).collect();
        let middle = median(&mut of_weeks);
        deviations.extend(of_weeks.iter().map(|value| value.abs_diff(middle)));
        highest = highest.max(middle);
    }
    let mut latest: Vec<u64> = history.latest(DAY as usize).iter().map(of).collect();
    latest.sort_unstable();
    let kept = latest.get(EXCEPT).copied().unwrap_or(0);
    let deviation = median(&mut deviations).saturating_mul(DEVIATION.0) / DEVIATION.1;
    let just_now = history.latest(1).first().map_or(0, of).min(highest.saturating_mul(BUSIER));
    let median = highest.max(kept).max(just_now);
    let is_unknown = (history.hours().len() as i64) < 3 * WEEK;
    let least = median / if is_unknown { UNKNOWN_DEVIATION } else { LEAST_DEVIATION };
    Level { median, deviation: deviation.max(least) }
}

/// Of an even number the mean of the middle two.
fn median(values: &mut [u64]) -> u64 {
    values.sort_unstable();
    let upper = values.get(values.len() / 2).copied().unwrap_or(0);
    match values.len() % 2 {
        0 => values.len().checked_sub(2).map_or(0, |_| values[values.len() / 2 - 1].midpoint(upper)),
        _ => upper,
    }
}
