//! Calls of Qdrant's REST interface: JSON there and back, through an HTTP client with the store's authorities.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;

use crate::client::{Reach, causes, client_with, tls_trusting};
use crate::ports::StoreError;
use crate::vectors::Reached;
use crate::vectors::rules::malformed;

const PORT: u16 = 6333;
/// The finder has a budget of its own; this is for what nobody else bounds.
const OPERATION: Duration = Duration::from_secs(10);

pub(super) struct Calls {
    http: reqwest::Client,
    base: String,
    headers: HeaderMap,
}

/// What the server said.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    body: Value,
}

impl Answer {
    /// What was asked for.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] with the server's words, [`StoreError::NoReply`] where it failed over it.
    pub(super) fn result(mut self) -> Result<Value, StoreError> {
        if self.status.is_success() {
            return self.body.get_mut("result").map(Value::take).ok_or_else(|| malformed("result"));
        }
        let why = self.body.pointer("/status/error").and_then(Value::as_str).unwrap_or("no reason given");
        let why = format!("{}: {why}", self.status);
        Err(match self.status.is_server_error() {
            true => StoreError::NoReply(why),
            false => StoreError::Rejected(why),
        })
    }
}

impl Calls {
    pub(super) fn new(reached: &Reached) -> Result<Self, String> {
        let http = client_with(Reach::Any, tls_trusting(&reached.authorities)?);
        let scheme = if reached.url.tls { "https" } else { "http" };
        let port = reached.url.port.unwrap_or(PORT);
        let mut headers = HeaderMap::new();
        if let Some(key) = &reached.secret {
            let mut key = HeaderValue::from_str(key).map_err(|_| "the API key cannot be sent".to_owned())?;
            key.set_sensitive(true);
            headers.insert(HeaderName::from_static("api-key"), key);
        }
        let base = format!("{scheme}://{}:{port}", reached.authority());
        Ok(Calls { http: http.map_err(|error| causes(&error))?, base, headers })
    }

    /// An answer that broke off is asked for once more: everything a store is asked may be repeated, and a frozen
    /// function is not told which of its connections have ended.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, StoreError> {
        let body = body.map(|body| body.to_string());
        match self.once(&method, path, body.clone()).await {
            Err(error) if !error.is_connect() && !error.is_timeout() => {
                self.once(&method, path, body).await.map_err(|error| failure(&error))
            }
            answered => answered.map_err(|error| failure(&error)),
        }
    }

    async fn once(
        &self,
        method: &Method,
        path: &str,
        body: Option<String>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base));
        request = request.headers(self.headers.clone()).timeout(OPERATION);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let answered = request.send().await?;
        let status = answered.status();
        // A gateway in front of the server may say something else than JSON.
        let body = serde_json::from_slice(&answered.bytes().await?).unwrap_or_default();
        Ok(Answer { status, body })
    }
}

fn failure(error: &reqwest::Error) -> StoreError {
    match error.is_connect() {
        true => StoreError::Rejected(causes(error)),
        false => StoreError::NoReply(causes(error)),
    }
}
