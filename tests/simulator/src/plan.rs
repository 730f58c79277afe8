//! What a seed decides before anything happens. Each kind of fault is left out of about half of
//! the worlds, so that no kind hides what another would show.

use std::time::Duration;

use shared::config::Config;
use shared::domain::time::{Period, Timestamp};

use super::dice::Dice;
use super::run::Options;

/// 2027-01-15T08:00:00Z.
const NEW_YEAR: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// The most that a clock is off, in milliseconds.
pub(crate) const SKEW_MAX: u64 = 300_000;

/// One world.
#[derive(Debug)]
pub(crate) struct Plan {
    pub seed: u64,
    pub requests: usize,
    pub instances: usize,
    /// When it begins: so that a period, and often a price, ends in its middle.
    pub base: Timestamp,
    /// The end of that period.
    pub turn: Timestamp,
    /// The time within which all requests come.
    pub rush: Duration,
    /// The most that a clock is off, in milliseconds.
    pub skew: u64,
    pub faults: Faults,
    /// The provider gives more than it was asked for, or reports other tokens than it bills. Then
    /// no gateway can hold a cap, and the bound is the cap and what it was exceeded by.
    pub overruns: bool,
    pub config: Config,
}

/// How often what goes wrong, in thousandths.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// Of store calls: an answer beyond the patience of a settlement.
    pub slow: u64,
    /// Refused without effect: throttled, or in conflict with a transaction.
    pub throttled: u64,
    /// Never arrived.
    pub lost: u64,
    /// Arrived, and nobody heard of it.
    pub unheard: u64,
    /// Nobody hears of it, and it arrives up to half an hour later.
    pub late: u64,
    /// Arrives again; for what may be resent.
    pub twice: u64,
    /// Of moments before, within and after a call: the process is killed.
    pub crash: u64,
    /// Of holds: somebody whose clock is far ahead sweeps at once.
    pub sweep: u64,
    /// Of attempts: the provider fails.
    pub provider: u64,
    /// Of requests: the caller leaves.
    pub leave: u64,
}

impl Faults {
    fn draw(dice: &Dice) -> Self {
        let rate = |rates: &[u64]| if dice.chance(500) { 0 } else { dice.pick(rates) };
        let outside = Faults {
            provider: rate(&[50, 200, 700]),
            leave: rate(&[100, 400]),
            sweep: rate(&[10, 100, 500]),
            twice: rate(&[50, 300, 900]),
            ..Faults::default()
        };
        // In some worlds the stores work, so that what fails there is nobody else's fault.
        match dice.chance(200) {
            true => outside,
            false => Faults {
                slow: rate(&[2, 20, 300]),
                throttled: rate(&[2, 20, 200]),
                lost: rate(&[2, 20, 150]),
                unheard: rate(&[2, 20, 150]),
                late: rate(&[2, 20, 150]),
                crash: rate(&[1, 4, 15]),
                ..outside
            },
        }
    }
}

impl Faults {
    /// The stores answer in time and nobody is killed.
    pub(crate) fn are_outside(&self) -> bool {
        self.slow + self.throttled + self.lost + self.unheard + self.late + self.crash == 0
    }

    /// Providers fail and callers leave all the same.
    fn unless_only_a_crash(self, options: &Options) -> Self {
        match options.crash_at {
            None => self,
            Some(_) => {
                Faults { provider: self.provider, leave: self.leave, sweep: self.sweep, ..Faults::default() }
            }
        }
    }
}

impl Plan {
    /// The world of `seed`.
    pub(crate) fn draw(seed: u64, options: &Options) -> (Self, Dice) {
        let dice = Dice::new(seed, 0);
        let planned = requests_of(&dice);
        let rush = Duration::from_millis(dice.pick(&[20, 500, 5_000, 90_000, 600_000]));
        let period = dice.pick(&[Period::Minute, Period::Hour, Period::Day, Period::Month]);
        let turn = period.resets_at(NEW_YEAR).unwrap_or(NEW_YEAR);
        let rush_ms = u64::try_from(rush.as_millis()).unwrap_or(u64::MAX);
        let plan = Plan {
            seed,
            requests: planned.min(options.requests.unwrap_or(usize::MAX)),
            instances: 1 + dice.index(4),
            base: turn - dice.millis(0..=rush_ms + 2_000),
            turn,
            rush,
            skew: dice.pick(&[0, 0, 40, 5_000, SKEW_MAX]),
            faults: Faults::draw(&dice).unless_only_a_crash(options),
            overruns: dice.chance(30),
            config: config(&dice),
        };
        (plan, dice)
    }
}

/// Mostly few: what goes wrong mostly goes wrong between few. Up to 200.
fn requests_of(dice: &Dice) -> usize {
    let most = match dice.within(0..=99) {
        0..50 => 8,
        50..85 => 40,
        85..97 => 100,
        _ => 200,
    };
    1 + dice.index(most)
}

fn config(dice: &Dice) -> Config {
    let mut fallbacks = vec!["demo/b", "demo/thinks", "demo/sees"];
    fallbacks.truncate(dice.index(4));
    let limit = dice.pick(&["", r#""hard_limit_per_request_usd": 0.02"#]);
    let scope = dice.pick(&["key", "key", "tenant", "user"]);
    let (timeout, threshold) = (dice.pick(&[400, 3_000, 20_000]), dice.pick(&[3, 5, 50]));
    let text = format!(
        r#"{{
            "gateway": {{ "timeout_ms": {timeout} }},
            "cache": {{ "scope": "{scope}" }},
            "billing": {{ {limit} }},
            "routing": {{
                "primary": "demo/a", "fallbacks": {fallbacks:?},
                "circuit_breaker": {{ "threshold": {threshold}, "reset_timeout_ms": 2000 }}
            }},
            "providers": {{ "demo": {{ "base_url": "http://127.0.0.1:1/v1", "local": true }} }}
        }}"#
    );
    Config::parse(&text).unwrap_or_else(|faults| panic!("{faults}"))
}
