//! The rule.

use std::time::Duration;

use super::seen::Seen;
use super::usual::Usual;
use super::{Settings, WINDOW};
use crate::domain::alert::AnomalyEvidence;
use crate::domain::counter::ScopeState;
use crate::domain::money::NanoUsd;
use crate::domain::policy::Throttle;
use crate::domain::time::Timestamp;

/// The last minute, and the latter half of it, which shows a great anomaly sooner.
const MINUTE: u64 = 1;
const HALF: u64 = 2;
/// What is to be expected is multiplied by what days, hours and minutes may differ by, in thousandths: this
/// where nothing is known of the hour yet, and so much less where it is.
const UNKNOWN: u64 = 2_600;
const KNOWN: u64 = 1_000;
/// And this where the weeks are few.
const FEW_WEEKS: (u64, u64) = (5, 4);
/// Then come so many standard deviations of clumps, each of which is one of the requests that come together, and
/// so many clumps: the number in a minute has a longer tail than a normal variable.
const SIGMAS: u64 = 2;
const CLUMPS: u64 = 3;
/// So many times the busiest minute of the same hour in other weeks is no anomaly: there is a job.
const BURSTS: u64 = 2;
/// Where single requests differ in what they cost, so many of the dear ones come on top of that.
const SPREADS: u64 = 12;
/// A slowed key may go on at this many times what is usual.
const SLOWED: u64 = 2;
/// A key presses while it takes three quarters of what a slowed one may by the weeks, since what this day says
/// follows what the key does meanwhile; the window may be ten seconds short of a minute.
const PRESSING: (u64, u64) = (3, 4);
/// What a window shows of a key that was slowed a moment ago is from before.
const SETTLING: Duration = Duration::from_secs(90);

/// The most that a window may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub requests: u64,
    /// In nano-dollars, of clipped lines.
    pub cost: u64,
}

/// What is to be done about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It spends unlike itself: it is to be slowed.
    Slow(Throttle),
    /// It was slowed and presses on: it is to be stopped.
    Stop(Throttle),
    /// Its time is over.
    Release,
}

/// Judges the last minute of a key, whose present throttle is `standing`.
///
/// It is an anomaly when there are more requests, or they cost more, than what is to be expected, times what
/// days, hours and minutes differ by, and two standard deviations and three clumps of requests; and more than
/// `factor` times what is to be expected, and twice the busiest minute of the same hour in other weeks. The
/// latter half minute has a limit of its own. Fewer requests than `least_requests` are no anomaly, and no
/// cost below `least_cost` is. An anomaly slows the key to twice what is to be expected and what chance adds
/// to it, in requests and in money. One that still takes its pace after `stop_after` is stopped; one that has
/// gone back to what it used to do has not noticed much. Both end after `cool_down`.
pub fn judge(
    settings: &Settings,
    usual: &Usual,
    seen: &Seen,
    standing: Option<&Throttle>,
    now: Timestamp,
) -> Option<Step> {
    let passes = |limit: Limit, requests: u64, cost: NanoUsd| {
        let is_dear = u64::try_from(cost.nano()).unwrap_or(0) > limit.cost;
        requests >= settings.least_requests && (requests > limit.requests || is_dear)
    };
    let is_anomaly = || {
        passes(Limit::of(settings, usual), seen.requests, seen.clipped)
            || passes(Limit::of_half(settings, usual), seen.late_requests, seen.late_clipped)
    };
    match standing {
        Some(throttle) if throttle.state == ScopeState::Active && now < throttle.until => None,
        Some(throttle) if throttle.bars(now) => {
            let is_old = now.since(throttle.since) >= settings.stop_after.max(SETTLING);
            let is_slowed = throttle.state == ScopeState::Throttled;
            let is_pressing = || Limit::slowed(settings, &usual.by_weeks()).is_pressed_by(seen);
            (is_slowed && is_old && (is_pressing() || is_anomaly()))
                .then(|| Step::Stop(throttled(settings, ScopeState::Stopped, 0, now)))
        }
        _ if is_anomaly() => {
            Some(Step::Slow(throttled(settings, ScopeState::Throttled, pace(settings, usual, seen), now)))
        }
        Some(throttle) if throttle.state != ScopeState::Active => Some(Step::Release),
        _ => None,
    }
}

/// What the operator is told of it.
pub fn evidence(settings: &Settings, usual: &Usual, seen: &Seen) -> AnomalyEvidence {
    let limit = Limit::of(settings, usual);
    AnomalyEvidence {
        window_seconds: u32::try_from(WINDOW.as_secs()).unwrap_or(u32::MAX),
        spent_usd: seen.cost,
        requests: seen.requests,
        expected_usd: NanoUsd::from_nano(i64::try_from(limit.cost).unwrap_or(i64::MAX)),
        expected_requests: limit.requests,
    }
}

fn throttled(settings: &Settings, state: ScopeState, pace: i64, now: Timestamp) -> Throttle {
    Throttle { state, pace, since: now, until: now + settings.cool_down }
}

/// Requests a minute of a key that is slowed: as many as a slowed key may make, or, where they are dearer
/// than usual, as many as cost what a slowed key may spend; one at least, or it would be stopped.
fn pace(settings: &Settings, usual: &Usual, seen: &Seen) -> i64 {
    let slowed = Limit::slowed(settings, usual);
    let clipped = u64::try_from(seen.clipped.nano()).unwrap_or(0);
    let each = clipped.checked_div(seen.requests).unwrap_or(0);
    let affordable = if each == 0 { u64::MAX } else { slowed.cost.div_ceil(each) };
    i64::try_from(slowed.requests.min(affordable).max(1)).unwrap_or(i64::MAX)
}

impl Limit {
    /// Beyond which a minute is an anomaly.
    pub fn of(settings: &Settings, usual: &Usual) -> Limit {
        Limit::beyond(MINUTE, settings, usual)
    }

    fn of_half(settings: &Settings, usual: &Usual) -> Limit {
        Limit::beyond(HALF, settings, usual)
    }

    fn beyond(part: u64, settings: &Settings, usual: &Usual) -> Limit {
        let times = UNKNOWN - KNOWN * usual.known.min(1_000) / 1_000;
        let times = if usual.is_unsure { times * FEW_WEEKS.0 / FEW_WEEKS.1 } else { times };
        let Limit { requests, cost } = Limit::at(times / part, usual);
        let factor = |of: u64| of.saturating_mul(settings.factor.into()) / part;
        let burst = usual.burst.saturating_mul(BURSTS);
        let least = u64::try_from(settings.least_cost.nano()).unwrap_or(0);
        Limit {
            requests: requests.max(factor(usual.requests).max(burst) / 1_000).max(settings.least_requests),
            cost: cost.max(usual.priced(factor(usual.cost).max(burst))).max(least),
        }
    }

    /// What a slowed key may do in a minute.
    fn slowed(settings: &Settings, usual: &Usual) -> Limit {
        let full = Limit::of(settings, usual);
        let Limit { requests, cost } = Limit::at(SLOWED * 1_000, usual);
        Limit { requests: requests.min(full.requests), cost: cost.min(full.cost) }
    }

    /// Of so many thousandths of what is to be expected in a minute.
    fn at(times: u64, usual: &Usual) -> Limit {
        let requests = most(times, usual.requests, usual.clump) / 1_000;
        let spread = usual.spread.saturating_mul(SPREADS);
        let cost = most(times, usual.cost, usual.clump.saturating_add(usual.spread)).saturating_add(spread);
        Limit { requests, cost: usual.priced(cost) }
    }

    fn is_pressed_by(&self, seen: &Seen) -> bool {
        // Nothing is no press, also where nothing is all there may be: a key of free models.
        let reaches = |value: u64, most: u64| {
            value > 0
                && u128::from(value) * u128::from(PRESSING.1) >= u128::from(most) * u128::from(PRESSING.0)
        };
        reaches(seen.requests, self.requests)
            || reaches(u64::try_from(seen.clipped.nano()).unwrap_or(0), self.cost)
    }
}

impl Usual {
    /// Nano-dollars of so many thousandths of a request.
    fn priced(&self, thousandths: u64) -> u64 {
        let nano = u128::from(self.per_request) * u128::from(thousandths) / 1_000;
        u64::try_from(nano).unwrap_or(u64::MAX)
    }
}

/// All in thousandths: so many `times` what is `expected`, and what comes on top where it comes in clumps.
fn most(times: u64, expected: u64, clump: u64) -> u64 {
    let mean = u128::from(expected) * u128::from(times) / 1_000;
    let deviation = (mean * u128::from(clump)).isqrt();
    let sum = mean + deviation * u128::from(SIGMAS) + u128::from(clump) * u128::from(CLUMPS);
    u64::try_from(sum).unwrap_or(u64::MAX)
}
