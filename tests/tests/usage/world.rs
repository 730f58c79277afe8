//! A ledger that is written, the records its stream makes of it, and the function they go to.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use shared::domain::id::AttemptId;
use shared::domain::key::{KeyRecord, Pepper};
use shared::domain::ledger::{LINE_VERSION, LedgerLine, Outcome, Quality};
use shared::domain::money::NanoUsd;
use shared::domain::policy::Policy;
use shared::domain::rollup::{Fold, Folded};
use shared::domain::time::Timestamp;
use shared::domain::usage::TokenUsage;
use shared::memory::MemoryStore;
use shared::ports::{ManageKeys, WriteLedger};
use tests::{At, Reply, UsageParts};
use usage::Usage;

use super::jitter::Jitter;

/// 2027-01-15T08:00:00Z, the first of the hours that lines lie in.
pub(super) const FIRST_HOUR: i64 = 500_000;
pub(super) const HOURS: i64 = 30;

/// A write of the ledger.
#[derive(Clone, Debug)]
pub(super) enum Write {
    Put(LedgerLine),
    /// What a sweep estimated turns out to be this.
    Correct(LedgerLine),
}

impl Write {
    pub(super) fn line(&self) -> &LedgerLine {
        match self {
            Write::Put(line) | Write::Correct(line) => line,
        }
    }
}

pub(super) struct World {
    pub(super) store: Arc<MemoryStore>,
    pub(super) jitter: Arc<Jitter>,
    pub(super) usage: Usage,
}

impl World {
    pub(super) async fn new(seed: u64) -> Self {
        let store = Arc::new(MemoryStore::default());
        for (tenant, id) in [("acme", "key-0"), ("acme", "key-1"), ("globex", "key-2")] {
            store.create(&key(tenant, id)).await.expect("a new key");
        }
        let jitter = Arc::new(Jitter::new(&store, seed));
        let parts = UsageParts {
            lines: jitter.clone(),
            write_rollups: jitter.clone(),
            clock: Arc::new(At(Timestamp::of_hour(FIRST_HOUR + HOURS))),
            ..UsageParts::of(&store)
        };
        let usage = parts.function(Pepper { version: 1, secret: b"pepper".to_vec() });
        World { store, jitter, usage }
    }

    /// Writes, in the order given, taking its time.
    pub(super) async fn write(&self, writes: &[Write]) {
        for write in writes {
            self.jitter.wait().await;
            match write {
                Write::Put(line) => {
                    self.store.put(line).await.expect("memory");
                }
                Write::Correct(exact) => {
                    let corrected = self.store.correct(&estimated(exact), exact).await;
                    assert_eq!(corrected, Ok(true), "the estimate stands");
                }
            }
        }
    }

    /// Hands a batch to the function; returns the records that must come again.
    pub(super) async fn deliver(&self, batch: Vec<Value>) -> Vec<Value> {
        let answer = usage::event::batch(&self.usage, json!({ "Records": batch })).await.expect("a batch");
        let Some(first) = answer["batchItemFailures"][0]["itemIdentifier"].as_str().map(str::to_owned) else {
            return Vec::new();
        };
        let number = |record: &Value| record["dynamodb"]["SequenceNumber"].as_str().map(str::to_owned);
        batch.into_iter().skip_while(|record| number(record).as_deref() != Some(first.as_str())).collect()
    }

    pub(super) fn may_fail(&self, may_fail: bool) {
        self.jitter.may_fail.store(may_fail, Ordering::Relaxed);
    }

    /// `tollgate usage rebuild`, which goes on until all is done.
    pub(super) async fn rebuild(&self, hours: Option<(i64, i64)>) {
        let at = |hour: i64| json!(Timestamp::of_hour(hour).rfc3339());
        let mut body = hours.map_or(json!({}), |(from, to)| json!({ "from": at(from), "to": at(to) }));
        loop {
            let request = Request::builder()
                .method("POST")
                .uri("/admin/usage/rebuild")
                .header("authorization", format!("Bearer {}", UsageParts::ADMIN_KEY))
                .body(Bytes::from(body.to_string()));
            let response = usage::handle(&self.usage, request.expect("a request"), "rebuild").await;
            let reply = Reply::read(response).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            match reply.json()["next"].as_str() {
                Some(next) => body["from"] = json!(next),
                None => return,
            }
        }
    }

    /// Rollups and summaries as they are stored and as a fold of the whole ledger makes them, byte for byte.
    pub(super) fn assert_equal(&self, when: &str) {
        let mut fold = Fold::default();
        self.store.lines().iter().try_for_each(|line| fold.add(line)).expect("sums fit");
        let Folded { mut rollups, mut summaries } = fold.close().expect("sums fit");
        rollups.sort_by(|a, b| (&a.key_id, a.hour, a.shard).cmp(&(&b.key_id, b.hour, b.shard)));
        summaries.sort_by(|a, b| (a.hour, a.shard, &a.tenant).cmp(&(b.hour, b.shard, &b.tenant)));
        let bytes = |folded: Folded| {
            [serde_json::to_string_pretty(&folded.rollups), serde_json::to_string_pretty(&folded.summaries)]
                .map(|text| text.expect("json"))
        };
        let stored = Folded { rollups: self.store.rollups(), summaries: self.store.summaries() };
        assert_eq!(bytes(stored), bytes(Folded { rollups, summaries }), "{when}");
    }
}

/// The record that the stream of the ledger makes of a write.
pub(super) fn record(sequence: usize, write: &Write) -> Value {
    let line = write.line();
    json!({
        "eventID": sequence.to_string(),
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {
                "pk": { "S": line.partition().to_string() },
                "sk": { "S": format!("{}#{}", line.request, line.id) },
            },
            "SequenceNumber": sequence.to_string(),
            "StreamViewType": "KEYS_ONLY",
        },
    })
}

/// The exact line number `n`.
pub(super) fn line(n: usize, hour: i64, key: usize, user: Option<usize>, model: usize) -> LedgerLine {
    let at = Timestamp::of_hour(hour) + Duration::from_secs(n as u64 % 3_600);
    let id = AttemptId::new(at, n as u128);
    let tokens = n as u64 % 100;
    LedgerLine {
        version: LINE_VERSION,
        id,
        request: id,
        tenant: ["acme", "acme", "globex"][key].to_owned(),
        key_id: format!("key-{key}"),
        user: user.map(|user| format!("user-{user}")),
        model: format!("demo/{model}"),
        price: "demo/*@2026-01-01".to_owned(),
        quality: Quality::Exact,
        amount: NanoUsd::from_nano(3 * i64::try_from(tokens).unwrap_or(0)),
        reserved: NanoUsd::from_nano(1_000),
        usage: TokenUsage { uncached: tokens, cache_read: 1, output: 2 * tokens, ..TokenUsage::NONE },
        outcome: Outcome::Completed,
        items: Vec::new(),
        at,
        notes: None,
    }
}

/// What a sweep that knew nothing but the hold posted in the place of `exact`.
pub(super) fn estimated(exact: &LedgerLine) -> LedgerLine {
    LedgerLine {
        quality: Quality::Estimated,
        amount: exact.reserved,
        user: None,
        usage: TokenUsage::NONE,
        outcome: Outcome::FailedBilled,
        ..exact.clone()
    }
}

fn key(tenant: &str, id: &str) -> KeyRecord {
    KeyRecord {
        id: id.to_owned(),
        digest: String::new(),
        pepper_version: 1,
        name: id.to_owned(),
        tenant: tenant.to_owned(),
        team: None,
        policy: Policy::default(),
        models: None,
        created_at: Timestamp::of_hour(FIRST_HOUR),
        revoked_at: None,
    }
}
