//! A key that suddenly does ten times as much, request by request.

use std::time::Duration;

use shared::domain::anomaly::{Bucket, CLIP, Seen, Settings, Step, Usual, judge, slice};
use shared::domain::time::Timestamp;

use super::BATCH_SECONDS;
use super::quiet::{Played, moment};

/// What a judgement takes after its batch: the invocation, the folding, the writes.
const HANDLING: f64 = 2.0;
/// How long a spike lasts, and how long the normal use before it is played, in seconds.
const LASTS: f64 = 300.0;
const BEFORE: f64 = 120.0;

/// A spike.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    /// Times as many requests.
    pub requests: f64,
    /// Times as dear, each.
    pub cost: f64,
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

/// Plays a spike at a minute of the day after those that the key was played for.
pub fn attack(played: &mut Played, settings: &Settings, minute: i64, attack: Attack) -> Noticed {
    let traffic = &mut played.traffic;
    let usual_rate = traffic.pattern.level(minute);
    let mut lines = Vec::new();
    let mut first = None;
    let mut at = -BEFORE;
    while at < LASTS {
        let is_spike = at >= 0.0;
        let factor = if is_spike { attack.requests } else { 1.0 };
        at += traffic.dice().wait(usual_rate / 60.0 * factor);
        if is_spike && first.is_none() {
            first = Some(at);
        }
        let cost = traffic.cost() as f64 * if at >= 0.0 { attack.cost } else { 1.0 };
        // A line is written when the answer has ended, three seconds after the request in the middle.
        let answered = (3.0 * traffic.dice().log_normal(0.7)).min(60.0);
        lines.push(Line { at: at + answered, cost: cost as i64 });
    }
    lines.sort_by(|a, b| a.at.total_cmp(&b.at));
    let phase = traffic.dice().within(0.0, BATCH_SECONDS as f64);
    let begun = moment(minute) + Duration::from_secs(30);
    let usual = Usual::at(&played.history, begun);
    let after = usual.and_then(|usual| noticed(&usual, settings, &lines, phase, begun));
    Noticed { usual: usual_rate, after: after.map(|after| after - first.unwrap_or(0.0)) }
}

fn noticed(usual: &Usual, settings: &Settings, lines: &[Line], phase: f64, begun: Timestamp) -> Option<f64> {
    let time = |at: f64| Timestamp::from_millis(begun.millis() + (at * 1_000.0) as i64);
    let mut batch = phase;
    while batch < LASTS {
        let known = lines.iter().take_while(|line| line.at <= batch);
        let buckets: Vec<Bucket> = known
            .map(|line| Bucket {
                slice: slice(time(line.at)),
                requests: 1,
                cost: line.cost,
                clipped: line.cost.min(usual.per_request as i64 * CLIP),
            })
            .collect();
        let judged_at = batch + HANDLING / 2.0;
        let seen = Seen::until(time(judged_at), &buckets);
        if let Some(Step::Slow(_)) = judge(settings, usual, &seen, None, time(judged_at)) {
            return Some(batch + HANDLING);
        }
        batch += BATCH_SECONDS as f64;
    }
    None
}
