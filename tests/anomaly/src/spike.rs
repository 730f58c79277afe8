//! A key that suddenly does ten times as much, request by request.

use std::time::Duration;

use shared::domain::anomaly::{Bucket, Part, Seen, Settings, Step, judge, slice};
use shared::domain::time::Timestamp;

use super::BATCH_SECONDS;
use super::dice::Dice;
use super::quiet::{Key, moment};

/// What a judgement takes after its batch: the invocation, the folding, the writes.
const HANDLING: f64 = 2.0;
/// How long a spike lasts, and how long the normal use before it is played, in seconds.
const LASTS: f64 = 240.0;
const BEFORE: f64 = 120.0;

/// A spike.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    /// Times as many requests.
    pub requests: f64,
    /// Times as dear, each.
    pub cost: f64,
    /// Seconds in which half of the answers have ended, which is when the ledger knows of them.
    pub answered: f64,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub struct Noticed {
    /// Requests a minute that are usual at that time.
    pub usual: f64,
    /// Seconds from the first request of the spike to the write that slows the key; none where nothing did.
    pub after: Option<f64>,
}

/// A line of the ledger.
struct Line {
    /// Seconds from the beginning of the spike.
    at: f64,
    cost: i64,
}

/// Plays a spike that begins half a minute into the key's next minute; the key itself goes on as if there had
/// been none.
pub fn attack(key: &mut Key, settings: &Settings, attack: Attack, dice: &mut Dice) -> Noticed {
    let usual = key.traffic.pattern.level(key.minute);
    let mut traffic = key.traffic.clone();
    *traffic.dice() = dice.apart();
    let mut lines = Vec::new();
    let mut ask = |from: f64, until: f64, times: f64, dearer: f64| {
        let mut at = from + traffic.dice().wait(usual / 60.0 * times);
        let first = at;
        while at < until {
            let cost = (traffic.cost() as f64 * dearer) as i64;
            let answered = (attack.answered * traffic.dice().log_normal(0.7)).min(60.0);
            lines.push(Line { at: at + answered, cost });
            at += traffic.dice().wait(usual / 60.0 * times);
        }
        first
    };
    ask(-BEFORE, 0.0, 1.0, 1.0);
    let first = ask(0.0, LASTS, attack.requests, attack.cost);
    lines.sort_by(|a, b| a.at.total_cmp(&b.at));
    let phase = dice.within(0.0, BATCH_SECONDS as f64);
    let after = noticed(key, settings, &lines, phase);
    Noticed { usual, after: after.map(|after| after - first) }
}

fn noticed(key: &mut Key, settings: &Settings, lines: &[Line], phase: f64) -> Option<f64> {
    let begun = moment(key.minute) + Duration::from_secs(30);
    let time = |at: f64| Timestamp::from_millis(begun.millis() + (at * 1_000.0) as i64);
    let weeks = key.weeks()?;
    let mut batch = phase;
    // The next hour is not played.
    while batch < LASTS && time(batch).hour() == begun.hour() {
        let mut part = Part {
            hour: begun.hour(),
            requests: key.sum.requests,
            cost: key.sum.cost.nano(),
            buckets: Vec::new(),
        };
        for line in lines.iter().take_while(|line| line.at <= batch) {
            let (slice, cost) = (slice(time(line.at)), line.cost);
            part.buckets.push(Bucket { slice, requests: 1, cost, clipped: cost.min(key.clip) });
            // What came before was counted as the key was played.
            if line.at >= 0.0 {
                part.requests += 1;
                part.cost += cost;
            }
        }
        let judged_at = time(batch + HANDLING / 2.0);
        let seen = Seen::until(judged_at, [&part]);
        let step = judge(settings, &weeks.usual(&seen, judged_at), &seen, None, judged_at);
        if let Some(Step::Slow(_)) = step {
            return Some(batch + HANDLING);
        }
        batch += BATCH_SECONDS as f64;
    }
    None
}
