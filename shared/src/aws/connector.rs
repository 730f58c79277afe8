//! Lets the AWS SDK use the gateway's one HTTP client: one TLS stack, one set of roots.

use std::fmt;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use crate::client::causes;

/// The SDK's HTTP client over ours. Timeouts are the SDK's own, around each attempt.
pub fn http_client(client: reqwest::Client) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Connector(client));
    http_client_fn(move |_, _| connector.clone())
}

#[derive(Debug)]
struct Connector(reqwest::Client);

/// No connection came about, so the request cannot have reached anybody. The SDK's own mark for
/// this cannot be read back, hence a source that can be recognised.
#[derive(Debug)]
pub(super) struct NeverSent(String);

impl fmt::Display for NeverSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no connection: {}", self.0)
    }
}

impl std::error::Error for NeverSent {}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move { send(&client, request).await })
    }
}

async fn send(client: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let response = client.execute(outgoing(request)?).await.map_err(classify)?;
    let mut incoming = http::Response::builder().status(response.status());
    if let Some(headers) = incoming.headers_mut() {
        headers.clone_from(response.headers());
    }
    let bytes = response.bytes().await.map_err(classify)?;
    let incoming = incoming.body(SdkBody::from(bytes)).map_err(broken)?;
    HttpResponse::try_from(incoming).map_err(broken)
}

fn outgoing(request: HttpRequest) -> Result<reqwest::Request, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    let bytes = body
        .bytes()
        .map(Bytes::copy_from_slice)
        .ok_or_else(|| ConnectorError::user("the body is a stream, which is not supported".into()))?;
    reqwest::Request::try_from(http::Request::from_parts(parts, bytes))
        .map_err(|error| ConnectorError::user(error.into()))
}

fn classify(error: reqwest::Error) -> ConnectorError {
    if error.is_connect() {
        let source = NeverSent(causes(&error));
        return ConnectorError::io(source.into()).never_connected();
    }
    match error.is_timeout() {
        true => ConnectorError::timeout(error.into()),
        false if error.is_builder() => ConnectorError::user(error.into()),
        false => ConnectorError::io(error.into()),
    }
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> ConnectorError {
    ConnectorError::other(error.into(), None)
}
