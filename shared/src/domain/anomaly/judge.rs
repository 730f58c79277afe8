//! The rule.

use std::time::Duration;

use super::seen::Seen;
use super::usual::{Level, Usual};
use super::{Settings, WINDOW};
use crate::domain::alert::AnomalyEvidence;
use crate::domain::counter::ScopeState;
use crate::domain::money::NanoUsd;
use crate::domain::policy::Throttle;
use crate::domain::time::Timestamp;

/// Windows of a minute in the hour that the levels are sums of, and halves of them.
const WINDOWS: u64 = 60;
const HALVES: u64 = 120;
/// The half shows a great anomaly sooner, and is noisier: it may reach so many times the level more.
const HALF_FACTOR: u64 = 1;
/// Standard deviations that the hours of several weeks may add.
const SIGMAS_OF_HOURS: u64 = 6;
/// And those that the number of requests in a minute may, once `factor` times as many are to be expected.
const SIGMAS_OF_NUMBER: u64 = 3;
/// And those of what they cost, which has a longer tail than any number.
const SIGMAS_OF_COST: u64 = 5;
/// Of so many requests at least, as a part of those that their number is judged from, the cost is judged: a
/// few long documents of a small key are no anomaly.
const COST_FROM: u64 = 2;
/// Mean square of what requests cost over the square of their mean. Of costs that are log-normal with a
/// deviation of 1.2, as of a key that is asked for a line now and for a page then.
const COST_SPREAD: u64 = 4;
/// A slowed key may go on at this many times what is usual.
const SLOWED: u64 = 2;
/// A key presses while it takes nine tenths of what a slowed one may.
const PRESSING: (u64, u64) = (9, 10);
/// What a window shows of a key that was slowed a moment ago is from before.
const SETTLING: Duration = Duration::from_secs(90);

/// The most that a window may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub requests: u64,
    /// In nano-dollars, of clipped lines.
    pub cost: u64,
    /// Requests from which on the cost is judged.
    pub least: u64,
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
/// It is an anomaly when there are more requests, or they cost more, than
/// `factor` times the level, six standard deviations of the hours, by their median absolute deviation, and
/// three of the number of requests in a minute or five of
/// what they cost, by its root. No number below `least_requests` and no cost
/// below `least_cost` is an anomaly. The last half minute has a limit of its own, with a greater factor. So a small key is throttled by money that matters, or not at all. An
/// anomaly slows the key to twice its level, in requests and in money. One that still takes all of that
/// after `stop_after` is stopped; one that has gone back to what it used to do has not noticed much. Both
/// end after `cool_down`; slowing and not slowing any more have limits far apart, so a key does not flutter.
pub fn judge(
    settings: &Settings,
    usual: &Usual,
    seen: &Seen,
    standing: Option<&Throttle>,
    now: Timestamp,
) -> Option<Step> {
    let (limit, half) = (Limit::of(settings, usual), Limit::of_half(settings, usual));
    match standing {
        Some(throttle) if throttle.state == ScopeState::Active && now < throttle.until => None,
        Some(throttle) if throttle.bars(now) => {
            let is_old = now.since(throttle.since) >= settings.stop_after.max(SETTLING);
            let is_slowed = throttle.state == ScopeState::Throttled;
            (is_slowed && is_old && Limit::slowed(settings, usual).is_pressed_by(seen))
                .then(|| Step::Stop(throttled(settings, ScopeState::Stopped, 0, now)))
        }
        _ if limit.is_passed_by(seen.requests, seen.clipped)
            || half.is_passed_by(seen.late_requests, seen.late_clipped) =>
        {
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
    /// Beyond which a window is an anomaly.
    pub fn of(settings: &Settings, usual: &Usual) -> Limit {
        Limit::at((u64::from(settings.factor), WINDOWS), settings, usual)
    }

    fn of_half(settings: &Settings, usual: &Usual) -> Limit {
        Limit::at((u64::from(settings.factor) + HALF_FACTOR, HALVES), settings, usual)
    }

    /// What a slowed key may do.
    fn slowed(settings: &Settings, usual: &Usual) -> Limit {
        let full = Limit::of(settings, usual);
        let Limit { requests, cost, .. } = Limit::at((SLOWED, WINDOWS), settings, usual);
        Limit { requests: requests.min(full.requests), cost: cost.min(full.cost), least: 0 }
    }

    fn at(times: (u64, u64), settings: &Settings, usual: &Usual) -> Limit {
        let least = u64::try_from(settings.least_cost.nano()).unwrap_or(0);
        let square = usual.per_request.saturating_mul(COST_SPREAD);
        let requests = most(times, usual.requests, (1, SIGMAS_OF_NUMBER));
        let cost = most(times, usual.cost, (square, SIGMAS_OF_COST));
        let from = settings.least_requests / COST_FROM;
        Limit { requests: requests.max(settings.least_requests), cost: cost.max(least), least: from }
    }

    fn is_passed_by(&self, requests: u64, cost: NanoUsd) -> bool {
        let is_dear = u64::try_from(cost.nano()).unwrap_or(0) > self.cost;
        requests > self.requests || (is_dear && requests >= self.least)
    }

    fn is_pressed_by(&self, seen: &Seen) -> bool {
        let reaches = |value: u64, most: u64| {
            u128::from(value) * u128::from(PRESSING.1) >= u128::from(most) * u128::from(PRESSING.0)
        };
        reaches(seen.requests, self.requests)
            || reaches(u64::try_from(seen.clipped.nano()).unwrap_or(0), self.cost)
    }
}

/// `factor` times the level of one of so many `windows` of an hour, and noise: that of the hours, and so many `sigmas` of a number of
/// events whose sizes have `square` as their mean square over their mean.
fn most((factor, windows): (u64, u64), level: Level, (square, sigmas): (u64, u64)) -> u64 {
    let expected = level.median.saturating_mul(factor) / windows;
    let of_hours = level.deviation.saturating_mul(SIGMAS_OF_HOURS) / windows;
    let variance = u128::from(expected) * u128::from(square);
    let of_minutes = u64::try_from(variance.isqrt()).unwrap_or(u64::MAX).saturating_mul(sigmas);
    expected.saturating_add(of_hours).saturating_add(of_minutes)
}
