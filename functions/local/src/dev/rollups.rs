//! Rollups inside one process: what the ledger's stream and the `usage` function are in AWS.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared::app::anomaly::{Known, Watch};
use shared::app::rollups::rebuild;
use shared::config::{Anomaly, AnomalyMode};
use shared::domain::ledger::LedgerLine;
use shared::domain::partition::Partition;
use shared::domain::time::Timestamp;
use shared::ports::{Clock, LineMark, PutLine, RaiseAlert, StoreError, WriteLedger};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;
use usage::Usage;

use super::gateway::Stores;

/// How long changes gather before they are folded.
const GATHER: Duration = Duration::from_millis(250);
/// How many times as long as it took the next folding waits: each reads its hour from the beginning,
/// and would leave a busy process no time for anything else.
const REST: u32 = 4;
/// How long to wait before what failed is tried again, twice as long each time: several gateways may share
/// a store, and would keep it slow.
const AGAIN: Duration = Duration::from_secs(2);
const AGAIN_MAX: Duration = Duration::from_secs(60);
/// What a process that was killed may have left unfolded, before the newest request that it folded.
const UNSURE_HOURS: i64 = 25;

/// A line that was written.
pub(super) struct Change {
    partition: Partition,
    at: Timestamp,
}

/// A ledger that tells of every line it writes.
pub(super) struct Watched {
    ledger: Arc<dyn WriteLedger>,
    changes: UnboundedSender<Change>,
}

impl Watched {
    /// The ledger, and where its changes come out.
    pub(super) fn new(ledger: Arc<dyn WriteLedger>) -> (Self, UnboundedReceiver<Change>) {
        let (changes, told) = unbounded_channel();
        (Watched { ledger, changes }, told)
    }

    fn tell(&self, line: &LedgerLine) {
        // At the end of the process nobody listens any more; the next start folds it.
        let _ = self.changes.send(Change { partition: line.partition(), at: line.request.at() });
    }
}

#[async_trait]
impl WriteLedger for Watched {
    async fn put(&self, line: &LedgerLine) -> Result<PutLine, StoreError> {
        let put = self.ledger.put(line).await;
        self.tell(line);
        put
    }

    async fn find(&self, tenant: &str, line: LineMark) -> Result<Option<LedgerLine>, StoreError> {
        self.ledger.find(tenant, line).await
    }

    async fn correct(&self, estimated: &LedgerLine, exact: &LedgerLine) -> Result<bool, StoreError> {
        let corrected = self.ledger.correct(estimated, exact).await;
        self.tell(exact);
        corrected
    }
}

/// What looks for keys that spend unlike themselves.
pub(super) fn watch(anomaly: &Anomaly, stores: &Stores, clock: &Arc<dyn Clock>) -> Option<Watch> {
    (anomaly.mode != AnomalyMode::Off).then(|| Watch {
        mode: anomaly.mode,
        settings: anomaly.into(),
        spend: Arc::clone(&stores.spend),
        rollups: Arc::clone(&stores.read_rollups),
        keys: Arc::clone(&stores.find_key),
        manage_keys: Arc::clone(&stores.manage_keys),
        counters: Arc::clone(&stores.counters),
        alerts: Some(Arc::clone(&stores.outbox) as Arc<dyn RaiseAlert>),
        clock: Arc::clone(clock),
        known: Known::default(),
    })
}

/// Folds what the last process may have left, then whatever changes.
pub(super) async fn keep(usage: Arc<Usage>, mut changes: UnboundedReceiver<Change>) {
    let mut wait = AGAIN;
    while let Err(error) = catch_up(&usage).await {
        tracing::warn!(%error, "usage of earlier hours is not recomputed");
        wait = pause(wait).await;
    }
    while let Some(first) = changes.recv().await {
        tokio::time::sleep(GATHER).await;
        let mut dirty = BTreeSet::from([first.partition]);
        let mut newest = first.at;
        while let Ok(change) = changes.try_recv() {
            newest = newest.max(change.at);
            dirty.insert(change.partition);
        }
        let mut wait = AGAIN;
        let took = loop {
            let began = Instant::now();
            dirty = usage::recompute(&usage, &dirty).await;
            if dirty.is_empty() {
                break began.elapsed();
            }
            wait = pause(wait).await;
        };
        usage::note(&usage, newest).await;
        tokio::time::sleep(took * REST).await;
    }
}

/// Waits, and returns how long to wait the next time.
async fn pause(wait: Duration) -> Duration {
    tokio::time::sleep(wait).await;
    (wait * 2).min(AGAIN_MAX)
}

async fn catch_up(usage: &Usage) -> Result<(), StoreError> {
    let keys = usage.all_keys.list().await?;
    let now = usage.clock.now();
    let first = keys.iter().map(|record| record.created_at.hour()).min().unwrap_or_else(|| now.hour());
    let folded = usage.rollups.folded().await?.map_or(first, |at| at.hour() - UNSURE_HOURS);
    let tenants: BTreeSet<String> = keys.into_iter().map(|record| record.tenant).collect();
    let mut from = first.max(folded);
    loop {
        let hours = from..now.hour() + 1;
        let rebuilt =
            rebuild(&usage.stores(), &tenants, hours, Instant::now() + Duration::from_secs(1)).await?;
        match rebuilt.next {
            Some(next) => from = next,
            None => return Ok(()),
        }
    }
}
