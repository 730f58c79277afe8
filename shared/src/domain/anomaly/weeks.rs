//! What the last four weeks say of an hour.

use super::clump::{usual_clump, usual_spread};
use super::history::{History, Hour, clip};
use super::seen::{Seen, begin};
use super::usual::Usual;
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;

const WEEK: i64 = 168;
const DAY: i64 = 24;
const HOUR_SECONDS: u64 = 3_600;
/// What a key has done in every hour of the last day but for so many, and in the last of them, is usual where it
/// is so many times what the weeks say of those hours: it has a new level, of which they do not know.
const EXCEPT: usize = 2;
const NEW_LEVEL: u64 = 2;
/// A key of which eight days are not known yet has not shown its weekdays or its weekend twice. Everything it
/// did so far is usual, and this many times more: a Monday may be five times a Sunday.
const UNSHOWN: u64 = 3;
/// Hours of fewer weeks cannot say how far weeks differ.
const UNSURE: u64 = 3 * WEEK.unsigned_abs();
/// A step at the full hour is smoothed away between the middles of hours, and clocks are changed by an
/// hour: this part of the hour, and this one of the hours beside it, are to be expected at least.
const OF_HOUR: (u64, u64) = (4, 5);
const OF_NEIGHBOUR: (u64, u64) = (1, 2);
/// A busy day is followed up to so many times what the weeks say: who rises slowly is an anomaly as well.
const BUSIER: u64 = 3_000;
/// And a quiet one down to this, once this hour is known to be one.
const QUIETER: u64 = 700;
/// Requests that are added to what is and to what is usual before they are compared: few of them say little.
const PRIOR: u64 = 10_000;
/// Requests, and seconds, after which this hour is known as well as not.
const KNOWN_FROM: u64 = 20_000;
const KNOWN_AFTER: u64 = 300;

/// An hour of a key by the hours before it. Sums are in thousandths of a request, and of what one costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weeks {
    requests: Figure,
    cost: Figure,
    per_request: u64,
    clump: u64,
    spread: u64,
    /// Of the hour before, which an hour begins with in its window, and of this one.
    bursts: [u64; 2],
    is_unsure: bool,
}

/// Sums of hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Figure {
    /// The medians over the weeks of the hour before, of this one and of the next.
    around: [u64; 3],
    kept: u64,
    /// What there was in the hour before.
    last: u64,
}

impl Weeks {
    /// None where the key is too young to say.
    pub fn at(history: &History, hour: i64) -> Option<Weeks> {
        if history.is_young() {
            return None;
        }
        let per_request = history.per_request();
        let thousandths = |hour: &Hour| hour.requests.saturating_mul(1_000);
        let of_cost = |hour: &Hour| in_requests(hour.cost, per_request);
        let requests = Figure::at(history, hour, &thousandths);
        let cost = Figure::at(history, hour, &of_cost);
        let expected = requests.weekly(HOUR_SECONDS / 2) / 1_000;
        let busiest = |hour: &Hour| hour.busiest.saturating_mul(1_000);
        let (clump, bursts) = if is_unshown(history) {
            let most = history.hours().iter().map(busiest).max().unwrap_or(0);
            (most, [most; 2])
        } else {
            let clump = usual_clump(history, expected);
            (clump, [hour - 1, hour].map(|hour| over_weeks(history, hour, &busiest)))
        };
        let spread = usual_spread(history.hours(), per_request);
        let is_unsure = (history.hours().len() as u64) < UNSURE;
        Some(Weeks { requests, cost, per_request, clump, spread, bursts, is_unsure })
    }

    /// As [`History::clip`].
    pub fn clip(&self) -> i64 {
        clip(self.per_request)
    }

    /// What is usual now, by the weeks and by what this hour has seen before the window.
    pub fn usual(&self, seen: &Seen, now: Timestamp) -> Usual {
        let hour = Timestamp::of_hour(now.hour());
        let (into, before_window) = (now.since(hour).as_secs(), begin(now).since(hour).as_secs());
        let requests = seen.earlier_requests.saturating_mul(1_000);
        let cost = in_requests(seen.earlier_cost, self.per_request);
        let known = self.requests.known(before_window);
        let [before, this] = self.bursts;
        Usual {
            requests: self.requests.now(into, (requests, before_window), known),
            cost: self.cost.now(into, (cost, before_window), known),
            weekly: (self.requests.weekly(into) / 60, self.cost.weekly(into) / 60),
            per_request: self.per_request,
            clump: self.clump,
            spread: self.spread,
            burst: if before_window == 0 { this.max(before) } else { this },
            known,
            is_unsure: self.is_unsure,
        }
    }
}

impl Figure {
    fn at(history: &History, hour: i64, of: &dyn Fn(&Hour) -> u64) -> Figure {
        let last = history.latest(1).first().map_or(0, of);
        if is_unshown(history) {
            let most = history.hours().iter().map(of).max().unwrap_or(0).saturating_mul(UNSHOWN);
            return Figure { around: [most; 3], kept: 0, last };
        }
        let around = [hour - 1, hour, hour + 1].map(|near| over_weeks(history, near, of));
        Figure { around, kept: kept(history, of).min(last), last }
    }

    /// Of an hour as it is so many seconds `into` this one: medians are of the middles of hours.
    fn between(&self, into: u64) -> u64 {
        let [before, this, after] = self.around;
        let middle = HOUR_SECONDS / 2;
        let (other, away) =
            if into < middle { (before, middle - into) } else { (after, (into - middle).min(middle)) };
        let part = |of: u64, seconds: u64| u128::from(of) * u128::from(seconds);
        let sum = part(other, away) + part(this, HOUR_SECONDS - away);
        u64::try_from(sum / u128::from(HOUR_SECONDS)).unwrap_or(u64::MAX)
    }

    /// Of an hour, before anything is known of today.
    fn expected(&self, into: u64) -> u64 {
        let [before, this, after] = self.around;
        let beside = before.max(after) / OF_NEIGHBOUR.1 * OF_NEIGHBOUR.0;
        self.between(into).max(this / OF_HOUR.1 * OF_HOUR.0).max(beside)
    }

    /// Of the first `seconds` of an hour.
    fn of_first(&self, seconds: u64) -> u64 {
        let sum = u128::from(self.between(seconds / 2)) * u128::from(seconds) / u128::from(HOUR_SECONDS);
        u64::try_from(sum).unwrap_or(u64::MAX)
    }

    /// To be expected of a minute, so many seconds `into` an hour that had so many in its first seconds, by
    /// which it is `known`.
    fn now(&self, into: u64, (earlier, seconds): (u64, u64), known: u64) -> u64 {
        let busier = |is: u64, usual: u64| {
            let more = is.saturating_add(PRIOR).saturating_mul(1_000);
            more.checked_div(usual.saturating_add(PRIOR)).unwrap_or(0).min(BUSIER)
        };
        let this = busier(earlier, self.of_first(seconds)).max(QUIETER);
        let last = busier(self.last, self.around[0]).max(1_000);
        let day = this + last.saturating_sub(this) * (1_000 - known) / 1_000;
        let hourly = u128::from(self.expected(into)) * u128::from(day) / 1_000;
        u64::try_from(hourly).unwrap_or(u64::MAX).max(self.kept) / 60
    }

    /// To be expected of the hour, whatever this day is like.
    fn weekly(&self, into: u64) -> u64 {
        self.expected(into).max(self.kept)
    }

    /// How far the first `seconds` of an hour say by themselves what it is like, in thousandths.
    fn known(&self, seconds: u64) -> u64 {
        let usual = self.of_first(seconds);
        let by_number = usual.saturating_mul(1_000).checked_div(usual.saturating_add(KNOWN_FROM));
        by_number.unwrap_or(0) * seconds / (seconds + KNOWN_AFTER)
    }
}

/// The new level that the last day kept up; none where it was as the weeks say.
fn kept(history: &History, of: &dyn Fn(&Hour) -> u64) -> u64 {
    let latest = history.latest(DAY as usize).iter().map(of).zip(history.end() - DAY..);
    let is_new =
        |(value, hour): &(u64, i64)| *value > over_weeks(history, *hour, of).saturating_mul(NEW_LEVEL);
    let mut latest: Vec<u64> = latest.map(|hour| if is_new(&hour) { hour.0 } else { 0 }).collect();
    latest.sort_unstable();
    latest.get(EXCEPT).copied().unwrap_or(0)
}

/// Thousandths of what a request costs; none where it costs nothing.
pub(super) fn in_requests(cost: NanoUsd, per_request: u64) -> u64 {
    let thousandths = u128::try_from(cost.nano()).unwrap_or(0) * 1_000;
    u64::try_from(thousandths.checked_div(u128::from(per_request)).unwrap_or(0)).unwrap_or(u64::MAX)
}

fn is_unshown(history: &History) -> bool {
    (history.hours().len() as i64) < WEEK + DAY
}

/// The median over the weeks of an hour of the week.
fn over_weeks(history: &History, hour: i64, of: &dyn Fn(&Hour) -> u64) -> u64 {
    let mut values: Vec<u64> =
        (1..=4).filter_map(|week| history.at(hour - week * WEEK)).map(|hour| of(&hour)).collect();
    values.sort_unstable();
    let upper = values.get(values.len() / 2).copied().unwrap_or(0);
    match values.len() {
        0 => 0,
        even if even % 2 == 0 => values[even / 2 - 1].midpoint(upper),
        _ => upper,
    }
}
