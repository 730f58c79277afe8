//! The SDK's HTTP connector over the embedded database. It knows the operations the adapters use.

use std::fmt;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use dynoxide::Database;
use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use dynoxide::errors::{DynoxideError, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

const TARGET: &str = "x-amz-target";

pub(super) struct Connector {
    database: Database,
}

impl Connector {
    pub(super) fn new(database: Database) -> Self {
        Connector { database }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector(embedded)")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let database = self.database.clone();
        HttpConnectorFuture::new(async move {
            // The database works synchronously under one lock. Without this, a task that makes
            // many calls would keep its thread and starve the others.
            tokio::task::yield_now().await;
            let target = request.headers().get(TARGET).unwrap_or_default();
            let operation = target.rsplit('.').next().unwrap_or_default();
            let body = request.body().bytes().unwrap_or_default();
            let (status, answer) = match perform(&database, operation, body) {
                Ok(answer) => (200, answer),
                Err(error) => (error.status_code(), error.to_json().into_bytes()),
            };
            respond(status, answer)
        })
    }
}

fn perform(database: &Database, operation: &str, body: &[u8]) -> Result<Vec<u8>> {
    match operation {
        "GetItem" => answer(body, |request| database.get_item(request)),
        "UpdateItem" => answer(body, |request| database.update_item(request)),
        "PutItem" => answer(body, |request| database.put_item(request)),
        "Query" => answer(body, |request| database.query(request)),
        "Scan" => answer(body, |request| database.scan(request)),
        "TransactWriteItems" => answer(body, |mut request: TransactWriteItemsRequest| {
            // Every token of the last ten minutes is scanned at each transaction, and ours are
            // guarded by their conditions.
            request.client_request_token = None;
            database.transact_write_items(request)
        }),
        "SearchVectors" => answer(body, |request| database.search_vectors(request)),
        "DescribeTable" => answer(body, |request| database.describe_table(request)),
        "UpdateTable" => answer(body, |request| database.update_table(request)),
        "CreateTable" => answer(body, |request| database.create_table(request)),
        "UpdateTimeToLive" => answer(body, |request| database.update_time_to_live(request)),
        other => Err(DynoxideError::ValidationException(format!(
            "{other} is not available in the embedded database"
        ))),
    }
}

fn answer<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    call: impl FnOnce(Q) -> Result<A>,
) -> Result<Vec<u8>> {
    let request = serde_json::from_slice(body)
        .map_err(|error| DynoxideError::ValidationException(error.to_string()))?;
    let answer = call(request)?;
    serde_json::to_vec(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

fn respond(status: u16, body: Vec<u8>) -> std::result::Result<HttpResponse, ConnectorError> {
    let response = http::Response::builder().status(status).body(SdkBody::from(body));
    let response = response.map_err(|error| ConnectorError::other(error.into(), None))?;
    HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
}
