//! The circuit breaker of one target, shared by the whole fleet, and the fleet's retry budget.
//!
//! Every transition is pure: a store reads the item, applies one, and swaps it in if nobody else
//! was faster. Exactly one probe runs while half-open, because only one swap can win.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// Retries that an idle target may grant at once, in thousandths.
const RETRY_TOKENS_MAX: u32 = 10_000;
/// A success earns a fifth of a retry: over time at most 20 % of requests are retried.
const RETRY_TOKENS_PER_SUCCESS: u32 = 200;
const RETRY_COST: u32 = 1_000;
/// The open time doubles with every failed probe up to this many times.
const MAX_DOUBLINGS: u32 = 5;

/// One target's item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Breaker {
    /// Consecutive failures.
    pub failures: u32,
    /// Set while open; calls are refused until then, and from then on one probe at a time.
    pub open_until: Option<Timestamp>,
    /// Failed probes since it opened.
    pub doublings: u32,
    /// While a probe is out, nobody else may begin one before this moment.
    pub probe_until: Option<Timestamp>,
    /// The provider asked for quiet (429): not a failure, but no calls until then.
    pub cool_until: Option<Timestamp>,
    /// Thousandths of a retry.
    pub retry_tokens: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Consecutive failures that open the breaker.
    pub threshold: u32,
    /// How long it stays open at first.
    pub reset: Duration,
}

/// What a caller may do with the target now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allow,
    /// The reset time is over: whoever wins the swap of [`Breaker::begin_probe`] may call.
    MayProbe,
    /// No calls before this moment.
    Refuse {
        until: Timestamp,
    },
}

impl Default for Breaker {
    fn default() -> Self {
        Breaker {
            failures: 0,
            open_until: None,
            doublings: 0,
            probe_until: None,
            cool_until: None,
            retry_tokens: RETRY_TOKENS_MAX,
        }
    }
}

impl Breaker {
    pub fn verdict(&self, now: Timestamp) -> Verdict {
        let later = |at: Option<Timestamp>| at.filter(|at| *at > now);
        if let Some(until) = later(self.cool_until) {
            return Verdict::Refuse { until };
        }
        match (self.open_until, later(self.probe_until)) {
            (None, _) => Verdict::Allow,
            (Some(until), _) if until > now => Verdict::Refuse { until },
            (Some(_), Some(until)) => Verdict::Refuse { until },
            (Some(_), None) => Verdict::MayProbe,
        }
    }

    pub fn begin_probe(&self, now: Timestamp, lease: Duration) -> Breaker {
        Breaker { probe_until: Some(now + lease), ..self.clone() }
    }

    /// A call failed. Opens at the threshold; a failed probe opens again for twice as long.
    pub fn failed(&self, settings: &BreakerSettings, now: Timestamp) -> Breaker {
        let failures = self.failures.saturating_add(1);
        let mut next = Breaker { failures, ..self.clone() };
        let probing = self.probe_until.is_some() && self.open_until.is_some_and(|until| until <= now);
        if probing {
            next.doublings = (self.doublings + 1).min(MAX_DOUBLINGS);
        }
        if probing || (self.open_until.is_none() && failures >= settings.threshold) {
            next.open_until = Some(now + settings.reset * 2_u32.pow(next.doublings));
            next.probe_until = None;
        }
        next
    }

    /// Calls succeeded since the last swap: closes the breaker and earns retries.
    pub fn succeeded(&self, successes: u32) -> Breaker {
        let earned = successes.saturating_mul(RETRY_TOKENS_PER_SUCCESS);
        let retry_tokens = self.retry_tokens.saturating_add(earned).min(RETRY_TOKENS_MAX);
        Breaker {
            failures: 0,
            open_until: None,
            doublings: 0,
            probe_until: None,
            retry_tokens,
            ..self.clone()
        }
    }

    /// The provider throttled us and named how long.
    pub fn cooled(&self, until: Timestamp) -> Breaker {
        Breaker { cool_until: self.cool_until.max(Some(until)), ..self.clone() }
    }

    /// Takes one retry from the fleet's budget, if one is left.
    pub fn take_retry(&self) -> Option<Breaker> {
        let retry_tokens = self.retry_tokens.checked_sub(RETRY_COST)?;
        Some(Breaker { retry_tokens, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: BreakerSettings = BreakerSettings { threshold: 3, reset: Duration::from_secs(30) };
    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn open() -> Breaker {
        (0..3).fold(Breaker::default(), |breaker, _| breaker.failed(&SETTINGS, NOW))
    }

    #[test]
    fn it_opens_at_the_threshold_and_a_success_before_it_starts_the_count_anew() {
        let two = Breaker::default().failed(&SETTINGS, NOW).failed(&SETTINGS, NOW);
        assert_eq!(two.verdict(NOW), Verdict::Allow);
        assert_eq!(two.succeeded(1).failed(&SETTINGS, NOW).verdict(NOW), Verdict::Allow);
        assert_eq!(open().verdict(NOW), Verdict::Refuse { until: NOW + SETTINGS.reset });
    }

    #[test]
    fn late_failures_of_calls_in_flight_do_not_keep_it_open_longer() {
        assert_eq!(
            open().failed(&SETTINGS, NOW + Duration::from_secs(5)).open_until,
            Some(NOW + SETTINGS.reset)
        );
    }

    #[test]
    fn after_the_reset_time_one_probe_holds_the_lease() {
        let later = NOW + SETTINGS.reset;
        assert_eq!(open().verdict(later), Verdict::MayProbe);
        let probing = open().begin_probe(later, Duration::from_secs(10));
        assert!(matches!(probing.verdict(later), Verdict::Refuse { .. }));
        assert_eq!(probing.verdict(later + Duration::from_secs(10)), Verdict::MayProbe);
        assert_eq!(probing.succeeded(1).verdict(later), Verdict::Allow);
    }

    #[test]
    fn a_failed_probe_doubles_the_open_time() {
        let later = NOW + SETTINGS.reset;
        let again = open().begin_probe(later, Duration::from_secs(10)).failed(&SETTINGS, later);
        assert_eq!(again.verdict(later), Verdict::Refuse { until: later + SETTINGS.reset * 2 });
    }

    #[test]
    fn retries_run_out_and_are_earned_back_by_successes() {
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            breaker = breaker.take_retry().expect("ten at once");
        }
        assert_eq!(breaker.take_retry(), None);
        assert_eq!(breaker.succeeded(4).take_retry(), None);
        assert!(breaker.succeeded(5).take_retry().is_some());
    }

    #[test]
    fn throttling_cools_down_without_counting_as_a_failure() {
        let until = NOW + Duration::from_secs(2);
        let cooled = Breaker::default().cooled(until).cooled(NOW);
        assert_eq!((cooled.failures, cooled.verdict(NOW)), (0, Verdict::Refuse { until }));
        assert_eq!(cooled.verdict(until), Verdict::Allow);
    }
}
