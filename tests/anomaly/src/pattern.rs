//! The normal use of a key.

use super::dice::Dice;

/// A Monday, 00:00, in hours since the epoch.
pub const START_HOUR: i64 = 4 * 24 + 168 * 2_900;

/// What a key does in the mean.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Requests a minute at its busiest hour.
    pub peak: f64,
    /// Nano-dollars of a request.
    pub cost: f64,
    busiest: f64,
    /// Hours in which it falls to about a third.
    width: f64,
    /// Of the peak, at night.
    night: f64,
    /// Of the other days.
    weekend: f64,
    /// From one week to the next.
    growth: f64,
    /// From this day on everything is an hour earlier: clocks were changed.
    shifted: Option<i64>,
    /// Its first hour, from the start.
    pub first: i64,
}

impl Pattern {
    /// From two requests an hour to 300 a minute at the peak; most were there from the beginning.
    pub fn draw(dice: &mut Dice, days: i64) -> Self {
        Pattern {
            peak: dice.of_any_size(0.03, 300.0),
            cost: dice.of_any_size(100_000.0, 30_000_000.0),
            busiest: dice.within(9.0, 17.0),
            width: dice.within(2.5, 5.0),
            night: dice.within(0.02, 0.3),
            weekend: if dice.chance(0.2) { 1.0 } else { dice.within(0.1, 0.6) },
            growth: dice.within(0.97, 1.06),
            shifted: dice.chance(0.5).then(|| dice.whole(days / 2..days)),
            first: if dice.chance(0.7) { 0 } else { dice.whole(0..days * 12) },
        }
    }

    /// The same, in a place where clocks are not changed.
    #[must_use]
    pub fn steady(&self) -> Self {
        Pattern { shifted: None, ..self.clone() }
    }

    /// Requests a minute at a minute from the start.
    pub fn level(&self, minute: i64) -> f64 {
        let shift = self.shifted.filter(|day| minute >= day * 1_440).map_or(0, |_| 60);
        let minute_of_week = (minute + shift).rem_euclid(7 * 1_440);
        let hour = (minute_of_week % 1_440) as f64 / 60.0;
        let away = (hour - self.busiest).abs();
        let away = away.min(24.0 - away) / self.width;
        let of_day = self.night + (1.0 - self.night) * (-away * away).exp();
        let of_week = if minute_of_week >= 5 * 1_440 { self.weekend } else { 1.0 };
        self.peak * of_day * of_week * self.growth.powf(minute as f64 / 10_080.0)
    }
}

/// How the requests of a key come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// Each for itself.
    Single,
    /// Two to twelve at once in the mean, as from a page that asks several questions.
    Clumps,
    /// Each for itself, and 5 to 300 of them in one minute of each day.
    Jobs,
    /// Each for itself, and most of them answered from the cache, for nothing.
    Cached,
}

/// What a habit is for one key.
#[derive(Clone, Copy, Debug)]
struct Manner {
    clump: f64,
    /// At which minute of the day, and how many.
    job: Option<(i64, f64)>,
    /// The part of requests that cost nothing.
    free: f64,
}

impl Manner {
    fn draw(habit: Habit, dice: &mut Dice) -> Self {
        let clump = if habit == Habit::Clumps { dice.of_any_size(2.0, 12.0) } else { 1.0 };
        let job = (habit == Habit::Jobs).then(|| (dice.whole(0..1_440), dice.of_any_size(5.0, 300.0)));
        let free = if habit == Habit::Cached { dice.within(0.7, 0.97) } else { 0.0 };
        Manner { clump, job, free }
    }
}

/// A key's use, with noise: of the day, of the hour, of the minute, and of the number and size of requests.
#[derive(Clone, Debug)]
pub struct Traffic {
    pub pattern: Pattern,
    manner: Manner,
    dice: Dice,
    day: f64,
    hour: f64,
    minute: f64,
}

/// Requests and their cost in nano-dollars.
#[derive(Clone, Copy, Debug, Default)]
pub struct Use {
    pub requests: u64,
    pub cost: i64,
    /// No request counting more than it may.
    pub clipped: i64,
}

impl Traffic {
    /// Deviations of the logarithm.
    const DAY: f64 = 0.15;
    const HOUR: f64 = 0.2;
    const MINUTE: f64 = 0.2;
    const COST: f64 = 1.0;
    const JOB: f64 = 0.2;
    /// More requests than that are summed by their mean and deviation.
    const SINGLE: u64 = 24;

    pub fn new(pattern: Pattern, habit: Habit, mut dice: Dice) -> Self {
        let manner = Manner::draw(habit, &mut dice.apart());
        Traffic { pattern, manner, dice, day: 1.0, hour: 1.0, minute: 1.0 }
    }

    /// Requests a minute in this one; asked minute by minute.
    pub fn rate(&mut self, minute: i64) -> f64 {
        if minute % 1_440 == 0 {
            self.day = self.dice.log_normal(Traffic::DAY);
        }
        if minute % 60 == 0 {
            self.hour = self.dice.log_normal(Traffic::HOUR);
        }
        self.minute = self.dice.log_normal(Traffic::MINUTE);
        self.pattern.level(minute) * self.day * self.hour * self.minute
    }

    /// What a job asks for in this minute.
    pub fn job(&mut self, minute: i64) -> u64 {
        let due = self.manner.job.filter(|(at, _)| *at == minute % 1_440);
        due.map_or(0, |(_, size)| (size * self.dice.log_normal(Traffic::JOB)).round() as u64)
    }

    /// How many come where so many are to be expected.
    pub fn arrive(&mut self, expected: f64) -> u64 {
        let clump = self.manner.clump;
        let clumps = self.dice.count(expected / clump);
        if clump <= 1.0 {
            return clumps;
        }
        let mut requests = 0;
        for _ in 0..clumps {
            requests += 1;
            while !self.dice.chance(1.0 / clump) {
                requests += 1;
            }
        }
        requests
    }

    /// What so many requests cost; `most` is what one counts at most.
    pub fn used(&mut self, requests: u64, most: i64) -> Use {
        if requests > Traffic::SINGLE && self.manner.free == 0.0 {
            let spread = (Traffic::COST.powi(2).exp() - 1.0).sqrt() * (requests as f64).sqrt();
            let factor = (requests as f64 + spread * self.dice.normal()).max(0.0);
            let cost = (self.pattern.cost * factor) as i64;
            return Use { requests, cost, clipped: cost };
        }
        let mut used = Use { requests, ..Use::default() };
        for _ in 0..requests {
            let cost = self.cost();
            used.cost += cost;
            used.clipped += cost.min(most);
        }
        used
    }

    /// Of one request.
    pub fn cost(&mut self) -> i64 {
        if self.manner.free > 0.0 && self.dice.chance(self.manner.free) {
            return 0;
        }
        (self.pattern.cost * self.dice.log_normal(Traffic::COST)) as i64
    }

    pub fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }
}
