//! A running test gateway and the people who use it.

use std::sync::Arc;
use std::time::Duration;

use admin::Office;
use bytes::Bytes;
use http::{Method, Request};
use local::demo::Demo;
use serde_json::{Value, json};
use shared::app::App;
use shared::domain::audit::Who;
use shared::domain::ledger::LedgerLine;
use shared::memory::MemoryStore;
use tokio::time::Instant;

use super::provider::Provider;
use super::reply::Reply;
use super::settled::settled;
use super::setup::Setup;

pub const COMPLETIONS: &str = "/v1/chat/completions";
/// The route of the prompt form.
pub const CHAT: &str = "/v1/chat";

/// The time a request has, as Lambda would give it.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// The gateway, with everything a test looks at afterwards.
pub struct TestApp {
    pub app: Arc<App>,
    pub store: Arc<MemoryStore>,
    pub provider: Provider,
    pub office: Office,
}

/// Somebody with a key.
#[derive(Clone, Debug)]
pub struct User {
    pub id: String,
    pub key: String,
}

impl User {
    /// The value of the `authorization` header.
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.key)
    }
}

impl TestApp {
    /// A gateway with this configuration and otherwise the defaults.
    pub async fn start(config: Value) -> Self {
        Setup::new(config).start().await
    }

    /// Another instance over the same store, in front of the same provider.
    pub fn beside(&self, config: Value) -> Setup {
        Setup { store: Arc::clone(&self.store), provider: Some(self.provider.clone()), ..Setup::new(config) }
    }

    pub fn demo(&self) -> &Demo {
        &self.provider.demo
    }

    /// Somebody whose key has these fields, a name added where there is none.
    pub async fn user(&self, mut fields: Value) -> User {
        if fields["name"].is_null() {
            fields["name"] = json!("somebody");
        }
        let fields = fields.as_object().cloned().expect("fields of a key are an object");
        let made =
            self.office.admin.create(&self.who(), fields).await.unwrap_or_else(|error| panic!("{error:?}"));
        User { key: made.key.expect("a new key is shown"), id: made.id }
    }

    /// Somebody with the admin key.
    pub fn who(&self) -> Who {
        self.office.admin.who(None, None)
    }

    pub async fn revoke(&self, user: &User) {
        self.office.admin.revoke(&self.who(), &user.id).await.unwrap_or_else(|error| panic!("{error:?}"));
    }

    /// A chat completion for `user`.
    pub async fn complete(&self, user: &User, body: &Value) -> Reply {
        self.post(COMPLETIONS, user, body).await
    }

    /// A prompt of `user`, whose key goes in the other header.
    pub async fn prompt(&self, user: &User, body: &Value) -> Reply {
        self.send(Method::POST, CHAT, &[("x-api-key", &user.key)], body.to_string()).await
    }

    pub async fn post(&self, path: &str, user: &User, body: &Value) -> Reply {
        let headers = [("authorization", user.bearer())];
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.send(Method::POST, path, &headers, body.to_string()).await
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).expect("a request");
        Reply::read(chat::handle(&self.app, request, Instant::now() + REQUEST_TIME).await).await
    }

    /// The lines of one user, oldest first.
    pub fn lines(&self, user: &User) -> Vec<LedgerLine> {
        self.store.lines().into_iter().filter(|line| line.key_id == user.id).collect()
    }

    /// See [`settled`].
    pub async fn settled(&self) {
        settled(&self.store, self.demo()).await;
    }
}

/// The body of a question to `model`.
pub fn question(model: &str, stream: bool) -> Value {
    let mut body = unbounded(model, stream);
    body["max_tokens"] = json!(200);
    body
}

/// A question that leaves the length of its answer to the gateway.
pub fn unbounded(model: &str, stream: bool) -> Value {
    json!({
        "model": model, "stream": stream,
        "messages": [{ "role": "user", "content": "Which of the rivers runs through Ghent?" }],
    })
}
