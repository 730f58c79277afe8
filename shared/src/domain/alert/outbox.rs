//! What became of an alert: which sinks took it, and when which is to be told next.
//!
//! A delivery is claimed before it is sent, by compare-and-swap of the whole entry, and noted after. Who
//! dies in between leaves a claim that runs out, so an alert is told at least once, and twice for each
//! death at most. Source: ARCHITECTURE.md, "Alerts".

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Alert, Route};
use crate::domain::time::Timestamp;

/// How long a sink is left to whoever claimed it; more than a send may take.
const CLAIM: Duration = Duration::from_secs(30);
/// The first wait after a failure; it doubles with each.
const BACKOFF: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(60);
/// What has not been taken for so long is old news.
const GIVE_UP: Duration = Duration::from_secs(7 * 86_400);
/// Longest text of an error that is kept, in characters.
const ERROR_MAX: usize = 200;

/// What a sink is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Telling {
    Raised,
    /// It is over; for sinks that keep incidents open.
    Cleared,
}

/// Where one sink stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Delivery {
    /// The last that it has taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<Telling>,
    /// Failures since.
    pub failures: u32,
    /// Not to be tried before, because of a claim or a failure.
    pub not_before: Timestamp,
    /// Why it failed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// It will not be tried again.
    pub given_up: bool,
}

/// An alert in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    pub alert: Alert,
    /// When what it told of was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_at: Option<Timestamp>,
    /// When an operator said that it is being seen to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
    /// By the sink's name.
    #[serde(default)]
    pub deliveries: BTreeMap<String, Delivery>,
    /// Nobody has to be told any more.
    #[serde(default)]
    pub done: bool,
    /// Changes since it was raised.
    #[serde(default)]
    pub version: u64,
}

/// Why a sink did not take an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// It may take it later, no sooner than after the time that it named.
    Passing { why: String, after: Option<Duration> },
    /// It will never take it.
    Final(String),
}

impl Entry {
    pub fn new(alert: Alert) -> Self {
        let (cleared_at, acknowledged_at, deliveries) = (None, None, BTreeMap::new());
        Entry { alert, cleared_at, acknowledged_at, deliveries, done: false, version: 0 }
    }

    /// What `route` is to be told next, at once or later; none when it has been told everything so far.
    fn next(&self, route: &Route) -> Option<(Telling, Delivery)> {
        let delivery = self.deliveries.get(&route.sink).cloned().unwrap_or_default();
        let telling = match delivery.told {
            None => Telling::Raised,
            Some(Telling::Raised) if route.resolves && self.cleared_at.is_some() => Telling::Cleared,
            Some(_) => return None,
        };
        (!delivery.given_up).then_some((telling, delivery))
    }

    /// What to tell whom at `now`.
    pub fn due<'a>(&self, routes: &'a [Route], now: Timestamp) -> Vec<(&'a Route, Telling)> {
        let wanted = routes.iter().filter(|route| route.takes(&self.alert));
        let open = wanted.filter_map(|route| Some((route, self.next(route)?)));
        open.filter(|(route, (_, delivery))| delivery.not_before <= now && !route.is_quiet(&self.alert, now))
            .map(|(route, (telling, _))| (route, telling))
            .collect()
    }

    /// Whether anybody may still have to be told, now or once it is over.
    pub fn is_open(&self, routes: &[Route]) -> bool {
        routes.iter().filter(|route| route.takes(&self.alert)).any(|route| {
            let waits = route.resolves && self.cleared_at.is_none();
            self.next(route).is_some() || waits && !self.deliveries[&route.sink].given_up
        })
    }

    /// Leaves `sink` to whoever changes the entry so.
    pub fn claim(&mut self, sink: &str, now: Timestamp) {
        self.deliveries.entry(sink.to_owned()).or_default().not_before = now + CLAIM;
    }

    /// Notes what came of sending to `sink`.
    pub fn note(&mut self, sink: &str, telling: Telling, sent: &Result<(), SendError>, now: Timestamp) {
        let first_seen = self.alert.at;
        let seed = format!("{}{sink}", self.alert.id.as_str());
        let delivery = self.deliveries.entry(sink.to_owned()).or_default();
        match sent {
            Ok(()) => *delivery = Delivery { told: Some(telling), not_before: now, ..Delivery::default() },
            Err(error) => {
                delivery.failures = delivery.failures.saturating_add(1);
                let (why, wait) = match error {
                    SendError::Final(why) => {
                        delivery.given_up = true;
                        (why, Duration::ZERO)
                    }
                    SendError::Passing { why, after } => {
                        let backoff = backoff(delivery.failures, &seed);
                        (why, after.unwrap_or_default().min(BACKOFF_MAX * 60).max(backoff))
                    }
                };
                delivery.given_up |= now.since(first_seen) > GIVE_UP;
                delivery.error = Some(why.chars().take(ERROR_MAX).collect());
                delivery.not_before = now + wait;
            }
        }
    }
}

/// Between half and the whole of the capped exponential, by a jitter that depends on `seed` alone, so
/// that many alerts do not come back to a sink at once.
fn backoff(failures: u32, seed: &str) -> Duration {
    let whole = BACKOFF.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(BACKOFF_MAX);
    let jitter = seed.bytes().fold(failures, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    whole / 2 + whole / 2 * (jitter % 100) / 100
}
