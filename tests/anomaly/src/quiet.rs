//! Normal traffic for weeks, in which nothing is to be noticed.

use std::time::Duration;

use shared::domain::anomaly::{
    Bucket, CLIP, History, Hour, Limit, Seen, Settings, Step, Usual, judge, slice,
};
use shared::domain::money::NanoUsd;
use shared::domain::policy::Throttle;
use shared::domain::time::Timestamp;

use super::dice::Dice;
use super::pattern::{Pattern, START_HOUR, Traffic};

/// Ten seconds.
const SLICES: i64 = 6;

/// A key after it was played, and what was usual for it then.
#[derive(Clone, Debug)]
pub struct Played {
    pub traffic: Traffic,
    pub history: History,
    /// Hours of what it did, from the start.
    pub hours: Vec<Hour>,
    pub slowed: u64,
    pub stopped: u64,
    pub judged: u64,
    /// The nearest that a minute came to its limit, in hundredths.
    pub nearest: u64,
}

/// Keys of a seed for so many days, each by itself.
pub fn keys(seed: u64, keys: usize, days: i64) -> impl Iterator<Item = Traffic> {
    let mut dice = Dice::of(seed);
    (0..keys).map(move |_| {
        let pattern = Pattern::draw(&mut dice, days);
        Traffic::new(pattern, dice.apart())
    })
}

/// Plays one key for so many days.
pub fn play(traffic: Traffic, settings: &Settings, days: i64) -> Played {
    let mut key = Key { window: Window::default(), throttle: None, played: Played::of(traffic) };
    for hour in 0..days * 24 {
        if hour < key.played.traffic.pattern.first {
            key.played.hours.push(Hour::default());
            continue;
        }
        key.hour(settings, hour);
    }
    key.played
}

impl Played {
    fn of(traffic: Traffic) -> Self {
        let (history, hours) = (History::default(), Vec::new());
        Played { traffic, history, hours, slowed: 0, stopped: 0, judged: 0, nearest: 0 }
    }
}

struct Key {
    played: Played,
    window: Window,
    throttle: Option<Throttle>,
}

#[derive(Default)]
struct Window([Bucket; SLICES as usize]);

impl Window {
    fn put(&mut self, bucket: Bucket) {
        let at = usize::try_from(bucket.slice.rem_euclid(SLICES)).unwrap_or(0);
        self.0[at] = bucket;
    }

    /// What [`Seen::until`] counts.
    fn sum(&self, last: i64) -> (u64, i64) {
        let inside = self.0.iter().filter(|bucket| (0..SLICES).contains(&(last - bucket.slice)));
        inside.fold((0, 0), |(requests, clipped), one| (requests + one.requests, clipped + one.clipped))
    }
}

impl Key {
    fn hour(&mut self, settings: &Settings, hour: i64) {
        let mut sum = Hour::default();
        let (mut usual, mut limit, mut clip) = (None, None, i64::MAX);
        for minute in hour * 60..(hour + 1) * 60 {
            if minute % 60 == 0 {
                usual = Usual::at(&self.played.history, moment(minute));
                limit = usual.as_ref().map(|usual| Limit::of(settings, usual));
                clip = usual.map_or(i64::MAX, |usual| usual.per_request as i64 * CLIP);
            }
            let rate = self.played.traffic.rate(minute);
            for part in 0..SLICES {
                let used = self.played.traffic.used(rate / SLICES as f64, clip);
                sum.requests += used.requests;
                sum.cost = NanoUsd::from_nano(sum.cost.nano() + used.cost);
                let now = Timestamp::from_millis(((START_HOUR * 60 + minute) * 60 + part * 10 + 9) * 1_000);
                let (cost, clipped) = (used.cost, used.clipped);
                self.window.put(Bucket { slice: slice(now), requests: used.requests, cost, clipped });
                // Nothing new is nothing to judge.
                if let (Some(usual), Some(limit), 1..) = (&usual, &limit, used.requests) {
                    self.judge(settings, (usual, limit), now);
                }
            }
        }
        self.played.hours.push(sum);
        self.played.history = self.played.history.extended(START_HOUR + hour, &[sum]);
    }

    /// Oftener than the batches of the stream come.
    fn judge(&mut self, settings: &Settings, (usual, limit): (&Usual, &Limit), now: Timestamp) {
        let (requests, clipped) = self.window.sum(slice(now));
        let played = &mut self.played;
        played.judged += 1;
        let share = |value: u64, most: u64| (value * 100).checked_div(most).unwrap_or(0);
        let by_cost = if requests < limit.least { 0 } else { share(clipped as u64, limit.cost) };
        let near = share(requests, limit.requests).max(by_cost);
        played.nearest = played.nearest.max(near);
        // No half of a window that is as empty passes its own limit, and most are.
        if near <= 50 && self.throttle.is_none() {
            return;
        }
        let seen = Seen::until(now, &self.window.0);
        match judge(settings, usual, &seen, self.throttle.as_ref(), now) {
            Some(Step::Slow(throttle)) => {
                played.slowed += 1;
                self.throttle = Some(throttle);
            }
            Some(Step::Stop(throttle)) => {
                played.stopped += 1;
                self.throttle = Some(throttle);
            }
            Some(Step::Release) => self.throttle = None,
            None => {}
        }
    }
}

/// What all keys together cost in each hour, from the start.
pub fn cost_by_hour(played: &[Played]) -> Vec<NanoUsd> {
    let hours = played.iter().map(|played| played.hours.len()).max().unwrap_or(0);
    let sum = |hour: usize| {
        let costs = played.iter().filter_map(|played| played.hours.get(hour)).map(|hour| hour.cost.nano());
        NanoUsd::from_nano(costs.sum())
    };
    (0..hours).map(sum).collect()
}

/// A moment that many minutes after the start.
pub fn moment(minute: i64) -> Timestamp {
    Timestamp::of_hour(START_HOUR) + Duration::from_secs(u64::try_from(minute * 60).unwrap_or(0))
}
