//! The `cache` function: near questions searched for `chat`, and what is asked and told of the cache.

pub mod event;
mod lookup;
mod operate;
mod statistics;
pub mod wiring;

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response};
use shared::app::authenticate::{Caller, authenticate_key};
use shared::app::error::GatewayError;
use shared::app::semantic::{Indexer, Invalidator, Lookup};
use shared::config::Config;
use shared::domain::key::{Pepper, secrets_match};
use shared::http::{Body, error, token};
use shared::ports::{
    AnswerCache, Clock, FindKey, ListKeys, MeasurePrecision, ReadLedger, ReadRollups, SetUpVectors,
};
use shared::protocol::dialect::Dialect;
use shared::protocol::error::no_route;
use shared::protocol::fields::BadRequest;

/// The routes of this function.
pub const ROUTES: &[(&str, &str)] = &[
    ("POST", "/v1/cache/lookup"),
    ("POST", "/v1/cache/invalidate"),
    ("GET", "/v1/cache/stats"),
    ("POST", "/admin/cache/setup"),
    ("POST", "/admin/cache/entries"),
];

/// What the function needs.
pub struct Cache {
    pub config: Config,
    pub keys: Arc<dyn FindKey>,
    pub all_keys: Arc<dyn ListKeys>,
    pub pepper: Pepper,
    pub admin_key: String,
    pub clock: Arc<dyn Clock>,
    pub answers: Arc<dyn AnswerCache>,
    pub invalidator: Invalidator,
    pub lines: Arc<dyn ReadLedger>,
    pub rollups: Arc<dyn ReadRollups>,
    pub precision: Arc<dyn MeasurePrecision>,
    /// None where there is no embedder: the exact tier is all there is.
    pub semantic: Option<Semantic>,
}

/// What only the semantic tier needs.
pub struct Semantic {
    pub lookup: Lookup,
    pub indexer: Indexer,
    pub set_up: Arc<dyn SetUpVectors>,
}

/// Whether this function answers `path`, for servers that are not API Gateway.
pub fn answers(path: &str) -> bool {
    ROUTES.iter().any(|(_, route)| *route == path.trim_end_matches('/'))
}

/// Answers one request.
pub async fn handle(cache: &Cache, request: Request<Bytes>, request_id: &str) -> Response<Body> {
    let answered = match (request.method(), request.uri().path().trim_end_matches('/')) {
        (&Method::POST, "/v1/cache/lookup") => lookup::respond(cache, &request, request_id).await,
        (&Method::POST, "/v1/cache/invalidate") => operate::invalidate(cache, &request, request_id).await,
        (&Method::GET, "/v1/cache/stats") => statistics::respond(cache, &request, request_id).await,
        (&Method::POST, "/admin/cache/setup") => operate::set_up(cache, &request, request_id).await,
        (&Method::POST, "/admin/cache/entries") => operate::seed(cache, &request, request_id).await,
        (method, path) => {
            return error(&no_route(method.as_str(), path, answers(path)), Dialect::OpenAi, request_id);
        }
    };
    answered.unwrap_or_else(|refused| {
        error(&refused.logged(Dialect::OpenAi, request_id), Dialect::OpenAi, request_id)
    })
}

/// Who asks: the admin, or a key of its own right.
pub(crate) enum Asking {
    Admin,
    Key(Caller),
}

impl Cache {
    pub(crate) async fn who(&self, request: &Request<Bytes>) -> Result<Asking, GatewayError> {
        match self.is_admin(request) {
            true => Ok(Asking::Admin),
            false => self.caller(request).await.map(Asking::Key),
        }
    }

    pub(crate) async fn caller(&self, request: &Request<Bytes>) -> Result<Caller, GatewayError> {
        authenticate_key(self.keys.as_ref(), &self.pepper, token(request.headers()).as_deref()).await
    }

    pub(crate) fn admin_alone(&self, request: &Request<Bytes>) -> Result<(), GatewayError> {
        match self.is_admin(request) {
            true => Ok(()),
            false => Err(GatewayError::Unauthorized),
        }
    }

    fn is_admin(&self, request: &Request<Bytes>) -> bool {
        token(request.headers()).is_some_and(|token| secrets_match(&token, &self.admin_key))
    }

    /// The tier, where questions are embedded in the process.
    ///
    /// # Errors
    /// [`GatewayError::BadRequest`] where a provider embeds: it is paid by whoever asks, and this
    /// function holds no money.
    pub(crate) fn embedding_tier(&self) -> Result<&Semantic, GatewayError> {
        match &self.config.cache.embedder {
            None => self.tier(),
            Some(embedder) => {
                let name = &embedder.model;
                let text = format!("{name} embeds (cache.embedder), and only questions that a key asks");
                Err(BadRequest::new("", text).into())
            }
        }
    }

    /// # Errors
    /// [`GatewayError::BadRequest`] where there is no embedder.
    pub(crate) fn tier(&self) -> Result<&Semantic, GatewayError> {
        let off = || BadRequest::new("", "the semantic tier is off: this gateway has no embedder");
        self.semantic.as_ref().ok_or_else(|| off().into())
    }
}
