//! What loses requests and replies: as an HTTP client under the DynamoDB adapter, and as a port
//! over the memory store.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use futures_util::future::BoxFuture;
use serde_json::Value;
use shared::domain::counter::{Allowance, Close, Counter, CounterKey, Reserve};
use shared::domain::id::AttemptId;
use shared::ports::{Counters, ReserveReply, StoreError};

/// What happens to the next reserve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is applied, and nobody hears of it.
    LoseReply,
    /// It is not applied; it may be delivered later.
    LoseRequest,
    /// It is refused because the store has too much to do.
    Throttle,
    /// It is refused because a transaction holds the item. DynamoDB only.
    Conflict,
}

type Delivery = BoxFuture<'static, ()>;

#[derive(Default)]
pub(super) struct Gremlin(Mutex<State>);

#[derive(Default)]
struct State {
    faults: VecDeque<Fault>,
    sent: Vec<AttemptId>,
    lost: Vec<Delivery>,
}

impl fmt::Debug for Gremlin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gremlin")
    }
}

impl Gremlin {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on reserves are watched; the next one that is not armed for goes well.
    pub(super) fn arm(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    fn meet(&self, id: AttemptId) -> Option<Fault> {
        let mut state = self.state();
        let fault = state.faults.pop_front();
        if !matches!(fault, Some(Fault::Conflict | Fault::Throttle)) {
            state.sent.push(id);
        }
        fault
    }

    fn lose(&self, delivery: Delivery) {
        self.state().lost.push(delivery);
    }

    pub(super) fn forget(&self) {
        self.state().sent.clear();
    }

    /// The ids of all reserves sent, in order; fails where one was sent again.
    pub(super) fn sent_once(&self) -> Vec<AttemptId> {
        let sent = self.state().sent.clone();
        let distinct: HashSet<AttemptId> = sent.iter().copied().collect();
        assert_eq!(distinct.len(), sent.len(), "a reserve was sent twice: {sent:?}");
        sent
    }

    /// What was lost arrives after all.
    pub(super) async fn deliver_late(&self) {
        let lost = std::mem::take(&mut self.state().lost);
        assert!(!lost.is_empty(), "nothing was lost");
        for delivery in lost {
            delivery.await;
        }
    }
}

/// The way to a DynamoDB, with the gremlin on it.
pub(super) fn through(gremlin: &Arc<Gremlin>, inner: SharedHttpClient) -> SharedHttpClient {
    let gremlin = Arc::clone(gremlin);
    http_client_fn(move |settings, components| {
        let inner = inner.http_connector(settings, components);
        SharedHttpConnector::new(GremlinConnector { inner, gremlin: Arc::clone(&gremlin) })
    })
}

#[derive(Debug)]
struct GremlinConnector {
    inner: SharedHttpConnector,
    gremlin: Arc<Gremlin>,
}

impl HttpConnector for GremlinConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(fault) = reserved(&request).and_then(|id| self.gremlin.meet(id)) else {
            return self.inner.call(request);
        };
        let inner = self.inner.clone();
        let gremlin = Arc::clone(&self.gremlin);
        HttpConnectorFuture::new(async move {
            match fault {
                Fault::LoseReply => drop(inner.call(request).await),
                Fault::LoseRequest => gremlin.lose(Box::pin(async move {
                    inner.call(request).await.expect("delivered late");
                })),
                Fault::Conflict => return refused("TransactionConflictException"),
                Fault::Throttle => return refused("ProvisionedThroughputExceededException"),
            }
            lost()
        })
    }
}

fn refused(by: &str) -> Result<HttpResponse, ConnectorError> {
    let name = format!("com.amazonaws.dynamodb.v20120810#{by}");
    let body = serde_json::json!({ "__type": name, "message": "not now" });
    let response = http::Response::builder().status(400).body(SdkBody::from(body.to_string()));
    let response = response.expect("a response");
    Ok(HttpResponse::try_from(response).expect("a response without extensions"))
}

fn lost() -> Result<HttpResponse, ConnectorError> {
    Err(ConnectorError::io("connection reset by peer".into()))
}

/// The id of the hold that this request enters, if it is a reserve.
fn reserved(request: &HttpRequest) -> Option<AttemptId> {
    let is_update = request.headers().get("x-amz-target")?.ends_with(".UpdateItem");
    let body: Value = serde_json::from_slice(request.body().bytes()?).ok()?;
    let values = &body["ExpressionAttributeValues"];
    let created = values[":live"]["M"].as_object().and_then(|live| live.keys().next());
    let entered = body["ExpressionAttributeNames"].as_object().filter(|_| !values[":hold"].is_null());
    let entered = entered.and_then(|names| names.values().find_map(|name| name.as_str()?.parse().ok()));
    let id = created.and_then(|id| id.parse().ok()).or(entered);
    id.filter(|_| is_update)
}

/// A store in memory, with the gremlin before it.
pub(super) struct GremlinCounters {
    pub(super) inner: Arc<dyn Counters>,
    pub(super) gremlin: Arc<Gremlin>,
}

#[async_trait]
impl Counters for GremlinCounters {
    async fn reserve(&self, write: &Reserve) -> Result<ReserveReply, StoreError> {
        match self.gremlin.meet(write.id) {
            None => return self.inner.reserve(write).await,
            Some(Fault::LoseReply) => drop(self.inner.reserve(write).await),
            Some(Fault::LoseRequest) => {
                let (inner, write) = (Arc::clone(&self.inner), write.clone());
                self.gremlin.lose(Box::pin(async move {
                    inner.reserve(&write).await.expect("delivered late");
                }));
            }
            Some(Fault::Conflict) => panic!("memory has no transactions"),
            Some(Fault::Throttle) => return Err(StoreError::Rejected("throttled".to_owned())),
        }
        Err(StoreError::NoReply("lost".to_owned()))
    }

    async fn allow(&self, key: &CounterKey, to: &Allowance) -> Result<(), StoreError> {
        self.inner.allow(key, to).await
    }

    async fn read(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError> {
        self.inner.read(key).await
    }

    async fn close(&self, write: &Close) -> Result<(), StoreError> {
        self.inner.close(write).await
    }

    async fn fence(&self, key: &CounterKey, id: AttemptId) -> Result<bool, StoreError> {
        self.inner.fence(key, id).await
    }
}
