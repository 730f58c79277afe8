//! What CloudWatch would know, for a gateway without one: the last minutes, in the process.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::event::RequestEvent;
use crate::domain::time::Timestamp;
use crate::ports::{ReadMetrics, StoreError, Vitals};

/// Beyond this the oldest go.
const REQUESTS_MAX: usize = 20_000;

/// The requests of the last minutes.
#[derive(Debug, Default)]
pub struct Recorder(Mutex<VecDeque<Seen>>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Timestamp,
    gateway: Duration,
    fell_back: Option<bool>,
}

impl Recorder {
    pub(super) fn take(&self, event: &RequestEvent) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() == REQUESTS_MAX {
            seen.pop_front();
        }
        seen.push_back(Seen { at: event.at, gateway: event.gateway(), fell_back: event.fell_back() });
    }
}

#[async_trait]
impl ReadMetrics for Recorder {
    async fn vitals(&self, now: Timestamp) -> Result<Vitals, StoreError> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|seen| seen.at >= now - Vitals::WINDOW);
        if u64::try_from(seen.len()).unwrap_or(u64::MAX) < Vitals::REQUESTS_MIN {
            return Ok(Vitals::default());
        }
        let mut times: Vec<Duration> = seen.iter().map(|seen| seen.gateway).collect();
        times.sort_unstable();
        let p95 = times.get((times.len() * 95).div_ceil(100).saturating_sub(1));
        let millis = |time: &Duration| u64::try_from(time.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
        let could: Vec<bool> = seen.iter().filter_map(|seen| seen.fell_back).collect();
        let did = could.iter().filter(|fell_back| **fell_back).count();
        let is_enough = u64::try_from(could.len()).unwrap_or(u64::MAX) >= Vitals::REQUESTS_MIN;
        let share = (did * 1_000_000).checked_div(could.len()).filter(|_| is_enough);
        Ok(Vitals {
            p95_ms: p95.map(millis),
            fallback_ppm: share.and_then(|share| u32::try_from(share).ok()),
        })
    }

    /// A queue in the process has none.
    async fn dead_letters(&self) -> Result<Vec<(String, u64)>, StoreError> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::event::{Attempt, Model, Operation};
    use crate::domain::id::AttemptId;
    use crate::domain::notes::CacheStatus;
    use crate::domain::usage::TokenUsage;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn model(name: &str) -> Model {
        Model::new(name.parse().expect("a model"), &format!("{name}@2026-01-01"))
    }

    /// One for which `asked` were asked in turn, each at once, and that took so many milliseconds itself.
    fn event(request: u8, own: u64, asked: &[&str]) -> RequestEvent {
        let attempt = |name: &&str| Attempt {
            model: model(name),
            from: Duration::ZERO,
            to: Duration::ZERO,
            first_token: None,
            answered_as: None,
            finish: Vec::new(),
            usage: TokenUsage::NONE,
            fault: None,
            span: None,
        };
        let id = AttemptId::new(NOW, u128::from(request));
        RequestEvent {
            requested: Some(model("demo/ok")),
            cache: Some(CacheStatus::Miss),
            attempts: asked.iter().map(attempt).collect(),
            answered: Some(Duration::from_millis(own)),
            ..RequestEvent::new(id, Operation::Chat, "/v1/chat/completions", NOW)
        }
    }

    #[tokio::test]
    async fn the_gateways_own_time_and_the_share_of_fallbacks_are_of_the_last_minutes() {
        let recorder = Recorder::default();
        for request in 0..20 {
            let own = if request < 2 { 703 } else { 4 };
            let asked: &[&str] = if request < 5 { &["demo/ok", "demo/other"] } else { &["demo/ok"] };
            recorder.take(&event(request, own, asked));
        }
        let vitals = recorder.vitals(NOW).await.expect("memory never fails");
        assert_eq!((vitals.p95_ms, vitals.fallback_ppm), (Some(703), Some(250_000)));
        let later = recorder.vitals(NOW + Vitals::WINDOW + Vitals::WINDOW).await.expect("memory never fails");
        assert_eq!(later, Vitals::default());
    }

    #[tokio::test]
    async fn a_few_requests_say_nothing() {
        let recorder = Recorder::default();
        recorder.take(&event(0, 9_000, &["demo/ok"]));
        assert_eq!(recorder.vitals(NOW).await.expect("memory never fails"), Vitals::default());
    }
}
