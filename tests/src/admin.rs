//! The `admin` function over the store of a test.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use serde_json::Value;
use shared::app::change::Registry;
use shared::domain::audit::{AuditEntry, AuditId, Outcome};
use shared::http::CallerAddress;
use shared::memory::MemoryStore;
use shared::ports::{AuditLog, AuditPage, AuditQuery, StoreError};

use super::app::TestApp;
use super::reply::Reply;

impl TestApp {
    pub const ADMIN_KEY: &'static str = "an admin key for tests";

    /// A call of the admin API with its key, from an address.
    pub async fn ask_admin(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        self.ask_admin_as(method, path, &[("authorization", "Bearer an admin key for tests")], body).await
    }

    /// The same with these headers alone.
    pub async fn ask_admin_as(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = request.extension(CallerAddress("192.0.2.7".to_owned()));
        let request = request.body(Bytes::from(body)).expect("a request");
        Reply::read(admin::handle(&self.office, request, "a-request").await).await
    }

    /// Lets the admin's log fail from here on.
    #[must_use]
    pub fn with_log(mut self, fails: Fails) -> Self {
        let store = &self.store;
        let log = Arc::new(Log { store: Arc::clone(store), fails });
        self.office.admin.registry =
            Registry::new(store.clone(), store.clone(), store.clone(), store.clone(), log);
        self
    }
}

/// What the log refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fails {
    Entries,
    Outcomes,
}

struct Log {
    store: Arc<MemoryStore>,
    fails: Fails,
}

impl Log {
    fn answers(&self, fails: Fails) -> Result<(), StoreError> {
        match self.fails == fails {
            true => Err(StoreError::NoReply("a test".to_owned())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl AuditLog for Log {
    async fn append(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.answers(Fails::Entries)?;
        self.store.append(entry).await
    }

    async fn conclude(&self, id: AuditId, outcome: Outcome) -> Result<(), StoreError> {
        self.answers(Fails::Outcomes)?;
        self.store.conclude(id, outcome).await
    }

    async fn page(&self, asked: &AuditQuery) -> Result<AuditPage, StoreError> {
        self.store.page(asked).await
    }
}
