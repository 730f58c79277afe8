//! The `usage` function over stores of a test.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use shared::app::anomaly::Watch;
use shared::clock::SystemClock;
use shared::domain::key::Pepper;
use shared::memory::MemoryStore;
use shared::ports::{Clock, ReadLedger, WriteRollups};
use usage::Usage;

use super::app::TestApp;
use super::reply::Reply;

/// What may be put in the place of the store, and the clock.
pub struct UsageParts {
    pub store: Arc<MemoryStore>,
    pub lines: Arc<dyn ReadLedger>,
    pub write_rollups: Arc<dyn WriteRollups>,
    pub clock: Arc<dyn Clock>,
    pub watch: Option<Watch>,
}

impl UsageParts {
    pub const ADMIN_KEY: &'static str = "an admin key for tests";

    /// Everything straight from `store`.
    pub fn of(store: &Arc<MemoryStore>) -> Self {
        let (lines, write_rollups) = (store.clone(), store.clone());
        UsageParts { store: store.clone(), lines, write_rollups, clock: Arc::new(SystemClock), watch: None }
    }

    pub fn function(self, pepper: Pepper) -> Usage {
        Usage {
            keys: self.store.clone(),
            all_keys: self.store.clone(),
            pepper,
            admin_key: UsageParts::ADMIN_KEY.to_owned(),
            clock: self.clock,
            lines: self.lines,
            ledger: self.store.clone(),
            counters: self.store.clone(),
            rollups: self.store,
            write_rollups: self.write_rollups,
            watch: self.watch,
        }
    }
}

impl TestApp {
    /// The `usage` function beside this gateway.
    pub fn usage(&self) -> Usage {
        UsageParts::of(&self.store).function(self.app.pepper.clone())
    }

    /// Asks the `usage` function with a key.
    pub async fn ask_usage(&self, method: &str, path: &str, key: &str, body: Option<Value>) -> Reply {
        let request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = request.body(Bytes::from(body)).expect("a request");
        Reply::read(usage::handle(&self.usage(), request, "a-request").await).await
    }
}
