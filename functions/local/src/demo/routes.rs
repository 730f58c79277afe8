//! The routes: which operation a path names, and in whose words it is answered.

use std::time::SystemTime;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use super::anthropic::{self, Anthropic};
use super::bedrock::{self, Action, Bedrock};
use super::body::{Body, Reset};
use super::call::Call;
use super::dialect::{Api, Dialect, request_id};
use super::embed::{self, Embedder};
use super::error::{ApiError, Refusal};
use super::openai::{self, OpenAi};
use super::state::Demo;
use super::{chat, control};

const MAX_BODY: usize = 32 << 20;

/// What a path asks of the provider's API, whatever base path stands before.
enum Operation {
    Chat(&'static dyn Dialect),
    Embed(&'static dyn Api, Embedder),
    CountTokens,
}

pub(super) async fn route(demo: Demo, request: Request<Incoming>) -> Result<Response<Body>, Reset> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let Some(operation) = Operation::of(&head.method, path) else {
        let control =
            read(body).await.and_then(|body| control::answer(&demo, &head.method, path, &body, now()));
        return Ok(control.unwrap_or_else(|error| OpenAi.refuse(&error, 0)));
    };
    let (api, number) = (operation.api(), demo.number());
    let outcome = async {
        // Whoever is refused unread may see a reset instead of the refusal.
        let body = read(body).await?;
        api.admit(&head.headers)?;
        let headers = &head.headers;
        operation.perform(&Call { demo: &demo, number, path, headers, body: &body, now: now() }).await
    };
    let mut response = match outcome.await {
        Ok(response) => response,
        Err(Refusal::Error(error)) => api.refuse(&error, number),
        Err(Refusal::Reset(reset)) => return Err(reset),
    };
    let id = HeaderValue::try_from(request_id(number)).expect("letters and digits are valid");
    response.headers_mut().insert(HeaderName::from_static(api.id_header()), id);
    Ok(response)
}

impl Operation {
    fn of(method: &Method, path: &str) -> Option<Self> {
        if method != Method::POST {
            return None;
        }
        if path.ends_with("/chat/completions") {
            return Some(Self::Chat(&OpenAi));
        }
        if path.ends_with("/embeddings") {
            return Some(Self::Embed(&OpenAi, openai::read_embeddings));
        }
        if path.ends_with("/messages") {
            return Some(Self::Chat(&Anthropic));
        }
        if path.ends_with("/messages/count_tokens") {
            return Some(Self::CountTokens);
        }
        Some(match bedrock::target(path)?.action {
            Action::Converse { .. } => Self::Chat(&Bedrock),
            Action::Invoke => Self::Embed(&Bedrock, bedrock::read_invoke),
        })
    }

    fn api(&self) -> &'static dyn Api {
        match self {
            Self::Chat(dialect) => *dialect,
            Self::Embed(api, _) => *api,
            Self::CountTokens => &Anthropic,
        }
    }

    async fn perform(&self, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
        match self {
            Self::Chat(dialect) => chat::complete(call, *dialect).await,
            Self::Embed(api, read) => embed::embed(call, *api, *read).await,
            Self::CountTokens => anthropic::count_tokens(call).await,
        }
    }
}

async fn read(body: Incoming) -> Result<Bytes, ApiError> {
    let collected = Limited::new(body, MAX_BODY).collect().await;
    let collected = collected.map_err(|error| ApiError::unreadable(error.to_string()))?;
    Ok(collected.to_bytes())
}

#[expect(clippy::disallowed_methods, reason = "a provider is an edge of its own")]
fn now() -> SystemTime {
    SystemTime::now()
}
