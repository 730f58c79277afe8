//! Normal traffic for weeks, in which nothing is to be noticed.

use std::time::Duration;

use shared::domain::anomaly::{
    Bucket, History, Hour, Limit, Part, Seen, Settings, Step, Weeks, judge, slice,
};
use shared::domain::money::NanoUsd;
use shared::domain::policy::Throttle;
use shared::domain::time::Timestamp;

use super::dice::Dice;
use super::pattern::{Habit, Pattern, START_HOUR, Traffic, Use};

/// Ten seconds.
const SLICES: i64 = 6;

/// A key, and what was raised while it was played.
#[derive(Clone, Debug)]
pub struct Key {
    pub traffic: Traffic,
    history: History,
    /// What the history says of the hour that is being played, once that was asked.
    weeks: Option<Option<Weeks>>,
    /// No line counts more, in nano-dollars.
    pub clip: i64,
    /// Of the hour that is being played, so far.
    pub sum: Hour,
    /// The minute that is played next, from the start.
    pub minute: i64,
    window: [Bucket; SLICES as usize],
    throttle: Option<Throttle>,
    /// Hours of what it did, from the start.
    pub hours: Vec<Hour>,
    pub slowed: u64,
    pub stopped: u64,
    pub judged: u64,
    /// The nearest that a minute came to its limit, in hundredths.
    pub nearest: u64,
}

/// Keys of a seed for so many days, each by itself.
pub fn keys(seed: u64, keys: usize, days: i64, habit: Habit) -> impl Iterator<Item = Key> {
    let mut dice = Dice::of(seed);
    (0..keys).map(move |_| {
        let pattern = Pattern::draw(&mut dice, days);
        Key::new(Traffic::new(pattern, habit, dice.apart()))
    })
}

impl Key {
    fn new(traffic: Traffic) -> Self {
        let first = traffic.pattern.first;
        Key {
            hours: vec![Hour::default(); usize::try_from(first).unwrap_or(0)],
            minute: first * 60,
            traffic,
            history: History::default(),
            weeks: None,
            clip: i64::MAX,
            sum: Hour::default(),
            window: Default::default(),
            throttle: None,
            slowed: 0,
            stopped: 0,
            judged: 0,
            nearest: 0,
        }
    }

    /// Plays it until a minute from the start.
    pub fn play(&mut self, settings: &Settings, until: i64) {
        while self.minute < until {
            self.play_minute(settings);
            self.minute += 1;
            if self.minute % 60 == 0 {
                let hour = std::mem::take(&mut self.sum);
                self.hours.push(hour);
                self.history = self.history.extended(START_HOUR + self.minute / 60 - 1, &[hour]);
                self.weeks = None;
                self.clip = self.history.clip();
            }
        }
    }

    pub fn weeks(&mut self) -> Option<Weeks> {
        let history = &self.history;
        *self.weeks.get_or_insert_with(|| Weeks::at(history, START_HOUR + self.minute / 60))
    }

    fn play_minute(&mut self, settings: &Settings) {
        let rate = self.traffic.rate(self.minute);
        // A job begins on the minute.
        let mut job = self.traffic.job(self.minute);
        let mut of_minute = 0;
        for part in 0..SLICES {
            let requests = self.traffic.arrive(rate / SLICES as f64) + std::mem::take(&mut job);
            of_minute += requests;
            let now = moment(self.minute) + Duration::from_secs(u64::try_from(part * 10 + 9).unwrap_or(0));
            let used = self.traffic.used(requests, self.clip);
            self.put(used, now);
            // Nothing new is nothing to judge.
            if requests > 0 {
                self.judge(settings, now);
            }
        }
        self.sum.busiest = self.sum.busiest.max(of_minute);
    }

    fn put(&mut self, used: Use, now: Timestamp) {
        let slice = slice(now);
        let Use { requests, cost, clipped } = used;
        self.window[usize::try_from(slice.rem_euclid(SLICES)).unwrap_or(0)] =
            Bucket { slice, requests, cost, clipped };
        self.sum.requests += requests;
        self.sum.cost = NanoUsd::from_nano(self.sum.cost.nano() + cost);
    }

    /// As the one partition of the ledger that there is holds it.
    fn part(&self) -> Part {
        let (requests, cost) = (self.sum.requests, self.sum.cost.nano());
        Part { hour: START_HOUR + self.minute / 60, requests, cost, buckets: self.window.to_vec() }
    }

    /// Oftener than the batches of the stream come.
    fn judge(&mut self, settings: &Settings, now: Timestamp) {
        self.judged += 1;
        let inside = self.window.iter().filter(|bucket| (0..SLICES).contains(&(slice(now) - bucket.slice)));
        let requests: u64 = inside.map(|bucket| bucket.requests).sum();
        // As few are no anomaly, and most keys never have more.
        if requests < settings.least_requests && self.throttle.is_none() {
            return;
        }
        let Some(weeks) = self.weeks() else { return };
        let seen = Seen::until(now, [&self.part()]);
        let usual = weeks.usual(&seen, now);
        let limit = Limit::of(settings, &usual);
        let share = |value: u64, most: u64| (value * 100).checked_div(most).unwrap_or(0);
        let by_cost = share(u64::try_from(seen.clipped.nano()).unwrap_or(0), limit.cost);
        self.nearest = self.nearest.max(share(seen.requests, limit.requests).max(by_cost));
        match judge(settings, &usual, &seen, self.throttle.as_ref(), now) {
            Some(Step::Slow(throttle)) => {
                self.slowed += 1;
                self.throttle = Some(throttle);
            }
            Some(Step::Stop(throttle)) => {
                self.stopped += 1;
                self.throttle = Some(throttle);
            }
            Some(Step::Release) => self.throttle = None,
            None => {}
        }
    }
}

/// What all keys together cost in each hour, from the start.
pub fn cost_by_hour(keys: &[Key]) -> Vec<NanoUsd> {
    let hours = keys.iter().map(|key| key.hours.len()).max().unwrap_or(0);
    let sum = |hour: usize| {
        let costs = keys.iter().filter_map(|key| key.hours.get(hour)).map(|hour| hour.cost.nano());
        NanoUsd::from_nano(costs.sum())
    };
    (0..hours).map(sum).collect()
}

/// A moment that many minutes after the start.
pub fn moment(minute: i64) -> Timestamp {
    Timestamp::of_hour(START_HOUR) + Duration::from_secs(u64::try_from(minute * 60).unwrap_or(0))
}
