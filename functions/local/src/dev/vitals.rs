//! How the gateway has been, by the notes of the lines that this process wrote: what CloudWatch is in AWS.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use shared::domain::id::AttemptId;
use shared::domain::ledger::LedgerLine;
use shared::domain::time::Timestamp;
use shared::ports::{LineMark, PutLine, ReadMetrics, StoreError, Vitals, WriteLedger};

/// Requests that are remembered; of more the oldest are forgotten before their time.
const REMEMBERED: usize = 10_000;

#[derive(Clone, Debug)]
struct Seen {
    at: Timestamp,
    /// Microseconds of the gateway's own time.
    own: u64,
    /// One of the models that were asked.
    model: String,
    /// Another was asked as well, or one was passed over.
    fell_back: bool,
}

/// The requests of the last minutes, by their ids, which are ordered by time.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<BTreeMap<AttemptId, Seen>>);

impl Recent {
    fn note(&self, line: &LedgerLine) {
        let Some(notes) = &line.notes else { return };
        let spent = notes.spent;
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The cache is read beside the key, once for all attempts; each attempt is admitted.
        let before = spent.auth.max(spent.cache) + spent.lookup.unwrap_or(0);
        let first = || Seen { at: line.at, own: before, model: line.model.clone(), fell_back: false };
        let seen = recent.entry(line.request).or_insert_with(first);
        seen.own = seen.own.saturating_add(spent.admit);
        seen.fell_back |= seen.model != line.model || !notes.skipped.is_empty();
        while recent.len() > REMEMBERED {
            recent.pop_first();
        }
    }
}

#[async_trait]
impl ReadMetrics for Recent {
    async fn vitals(&self, now: Timestamp) -> Result<Vitals, StoreError> {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|_, seen| seen.at >= now - Vitals::WINDOW);
        let count = recent.len();
        if u64::try_from(count).unwrap_or(u64::MAX) < Vitals::REQUESTS_MIN {
            return Ok(Vitals::default());
        }
        let mut times: Vec<u64> = recent.values().map(|seen| seen.own).collect();
        times.sort_unstable();
        let p95 = times.get((count * 95).div_ceil(100).saturating_sub(1)).map(|micros| micros.div_ceil(1000));
        let share = recent.values().filter(|seen| seen.fell_back).count() * 1_000_000 / count;
        Ok(Vitals { p95_ms: p95, fallback_ppm: u32::try_from(share).ok(), dead_letters: Vec::new() })
    }
}

/// A ledger whose lines are noted.
pub(super) struct Noted {
    pub(super) ledger: Arc<dyn WriteLedger>,
    pub(super) recent: Arc<Recent>,
}

#[async_trait]
impl WriteLedger for Noted {
    async fn put(&self, line: &LedgerLine) -> Result<PutLine, StoreError> {
        let put = self.ledger.put(line).await;
        if let Ok(PutLine::Inserted) = put {
            self.recent.note(line);
        }
        put
    }

    async fn find(&self, tenant: &str, line: LineMark) -> Result<Option<LedgerLine>, StoreError> {
        self.ledger.find(tenant, line).await
    }

    async fn correct(&self, estimated: &LedgerLine, exact: &LedgerLine) -> Result<bool, StoreError> {
        self.ledger.correct(estimated, exact).await
    }
}

#[cfg(test)]
mod tests {
    use shared::domain::ledger::{LINE_VERSION, Outcome, Quality};
    use shared::domain::money::NanoUsd;
    use shared::domain::notes::{Notes, Spent};
    use shared::domain::usage::TokenUsage;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn line(request: u8, model: &str, admit: u64) -> LedgerLine {
        let id = AttemptId::new(NOW, u128::from(request));
        let spent = Spent { auth: 1_000, cache: 2_000, admit, ..Spent::default() };
        LedgerLine {
            version: LINE_VERSION,
            id,
            request: id,
            tenant: "acme".to_owned(),
            key_id: "k".to_owned(),
            user: None,
            model: model.to_owned(),
            price: String::new(),
            quality: Quality::Exact,
            amount: NanoUsd::ZERO,
            reserved: NanoUsd::ZERO,
            usage: TokenUsage::default(),
            outcome: Outcome::Completed,
            items: Vec::new(),
            at: NOW,
            notes: Some(Notes { attempt: 1, spent, ..Notes::default() }),
        }
    }

    #[tokio::test]
    async fn the_gateways_own_time_and_the_share_of_fallbacks_are_of_the_last_minutes() {
        let recent = Recent::default();
        for request in 0..20 {
            let slow = if request < 2 { 700_000 } else { 1_000 };
            recent.note(&line(request, "demo/ok", slow));
            if request < 5 {
                recent.note(&line(request, "demo/other", 1_000));
            }
        }
        let vitals = recent.vitals(NOW).await.expect("memory never fails");
        assert_eq!((vitals.p95_ms, vitals.fallback_ppm), (Some(703), Some(250_000)));
        let later = recent.vitals(NOW + Vitals::WINDOW + Vitals::WINDOW).await.expect("memory never fails");
        assert_eq!(later, Vitals::default());
    }

    #[tokio::test]
    async fn a_few_requests_say_nothing() {
        let recent = Recent::default();
        recent.note(&line(0, "demo/ok", 9_000_000));
        assert_eq!(recent.vitals(NOW).await.expect("memory never fails"), Vitals::default());
    }
}
