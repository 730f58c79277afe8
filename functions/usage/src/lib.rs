//! The `usage` function: what was used, the rollups that say so, and the settlements `chat` could
//! not finish.

mod csv;
pub mod event;
mod query;
mod rebuild;
mod receipts;
pub mod wiring;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use shared::app::authenticate::authenticate_key;
use shared::app::error::GatewayError;
use shared::app::meter::{Question, Sources, usage};
use shared::app::rollups::{self, Stores};
use shared::app::settle::settle;
use shared::domain::key::{KeyRecord, Pepper, secrets_match};
use shared::domain::ledger::LedgerLine;
use shared::domain::partition::Partition;
use shared::domain::time::Timestamp;
use shared::http::{Body, error, json, token, whole};
use shared::ports::{
    Clock, Counters, FindKey, ListKeys, ReadLedger, ReadRollups, StoreError, WriteLedger, WriteRollups,
};
use shared::protocol::dialect::Dialect;
use shared::protocol::error::no_route;
use shared::protocol::fields::BadRequest;
use shared::protocol::json::unquoted;

use tokio::time::Instant;

use query::{Asked, Format};

/// The routes of this function; `{id}` stands for one path segment.
pub const ROUTES: &[(&str, &str)] =
    &[("GET", "/v1/usage"), ("GET", "/v1/requests/{id}"), ("POST", "/admin/usage/rebuild")];

/// How long a batch may take to fold what the stream lost, well below the function's time.
const NOTING: Duration = Duration::from_secs(10);

/// What the function needs.
pub struct Usage {
    pub keys: Arc<dyn FindKey>,
    pub all_keys: Arc<dyn ListKeys>,
    pub pepper: Pepper,
    pub admin_key: String,
    pub clock: Arc<dyn Clock>,
    pub lines: Arc<dyn ReadLedger>,
    pub ledger: Arc<dyn WriteLedger>,
    pub counters: Arc<dyn Counters>,
    pub rollups: Arc<dyn ReadRollups>,
    pub write_rollups: Arc<dyn WriteRollups>,
}

/// Why a settle command was not carried out.
#[derive(Debug)]
pub enum SettleError {
    /// The message is no settle command; repeating cannot help.
    Unreadable(String),
    Store(StoreError),
}

impl fmt::Display for SettleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SettleError::Unreadable(why) => write!(f, "not a settle command: {why}"),
            SettleError::Store(error) => error.fmt(f),
        }
    }
}

/// Whether this function answers `path`, for servers that are not API Gateway.
pub fn answers(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    ROUTES.iter().any(|(_, route)| *route == path) || receipts::id(path).is_some()
}

/// Answers one request.
pub async fn handle(usage: &Usage, request: Request<Bytes>, request_id: &str) -> Response<Body> {
    let answered = match (request.method(), request.uri().path().trim_end_matches('/')) {
        (&Method::GET, "/v1/usage") => report(usage, &request, request_id).await,
        (&Method::POST, "/admin/usage/rebuild") => rebuild::respond(usage, &request, request_id).await,
        (&Method::GET, path) if receipts::id(path).is_some() => {
            receipts::respond(usage, &request, request_id).await
        }
        (method, path) => {
            return error(&no_route(method.as_str(), path, answers(path)), Dialect::OpenAi, request_id);
        }
    };
    answered.unwrap_or_else(|refused| {
        error(&refused.logged(Dialect::OpenAi, request_id), Dialect::OpenAi, request_id)
    })
}

/// Finishes one settlement from the queue. Carrying it out again changes nothing.
///
/// # Errors
/// [`SettleError`]; the message goes back to the queue and in the end to the dead letters.
pub async fn settle_message(usage: &Usage, body: &str) -> Result<(), SettleError> {
    let line: LedgerLine =
        serde_json::from_str(body).map_err(|error| SettleError::Unreadable(unquoted(&error)))?;
    settle(usage.counters.as_ref(), usage.ledger.as_ref(), &line).await.map_err(SettleError::Store)
}

/// Recomputes the usage of partitions in which lines were written, and returns those for which it
/// failed. Doing it again changes nothing.
pub async fn recompute(usage: &Usage, dirty: &BTreeSet<Partition>) -> BTreeSet<Partition> {
    rollups::recompute_all(&usage.stores(), dirty).await
}

/// Notes up to where usage is folded, for the reports. A failure is logged: until the next note
/// reports read more of the ledger.
pub async fn note(usage: &Usage, newest: Timestamp) {
    let (rollups, keys) = (usage.rollups.as_ref(), usage.all_keys.as_ref());
    if let Err(error) = rollups::note(&usage.stores(), rollups, keys, newest, Instant::now() + NOTING).await {
        tracing::warn!(%error, "it is not noted up to where usage is folded");
    }
}

impl Usage {
    /// What recomputing needs of it.
    pub fn stores(&self) -> Stores<'_> {
        Stores { ledger: self.lines.as_ref(), rollups: self.write_rollups.as_ref() }
    }

    pub(crate) fn is_admin(&self, token: Option<&str>) -> bool {
        token.is_some_and(|token| secrets_match(token, &self.admin_key))
    }

    /// Every key that was ever made, for the admin.
    pub(crate) async fn every_key(&self) -> Result<Vec<KeyRecord>, GatewayError> {
        self.all_keys.list().await.map_err(GatewayError::StoreDown)
    }
}

async fn report(
    function: &Usage,
    request: &Request<Bytes>,
    request_id: &str,
) -> Result<Response<Body>, GatewayError> {
    let token = token(request.headers());
    let now = function.clock.now();
    let asked = |is_admin| Asked::read(request, is_admin, now);
    let (keys, asked) = if function.is_admin(token.as_deref()) {
        let asked = asked(true)?;
        (chosen(function.every_key().await?, &asked)?, asked)
    } else {
        let caller = authenticate_key(function.keys.as_ref(), &function.pepper, token.as_deref()).await?;
        (vec![caller.record().id.clone()], asked(false)?)
    };
    let question = Question { keys, since: asked.since, until: asked.until, grouping: asked.grouping };
    let sources = Sources { ledger: function.lines.as_ref(), rollups: function.rollups.as_ref() };
    let report = usage(&sources, &question, now).await?;
    Ok(match asked.format {
        Format::Json => json(200, request_id, &report),
        Format::Csv => {
            whole(200, request_id, "text/csv; charset=utf-8", csv::render(&report, asked.grouping))
        }
    })
}

/// The keys that an admin asks for.
fn chosen(keys: Vec<KeyRecord>, asked: &Asked) -> Result<Vec<String>, BadRequest> {
    let is_asked = |wanted: Option<&String>, own: &str| wanted.is_none_or(|wanted| wanted == own);
    let keys = keys.into_iter().filter(|record| {
        is_asked(asked.tenant.as_ref(), &record.tenant) && is_asked(asked.key.as_ref(), &record.id)
    });
    let keys: Vec<String> = keys.map(|record| record.id).collect();
    match (keys.is_empty(), &asked.key, &asked.tenant) {
        (true, Some(key), _) => Err(BadRequest::new("key", format!("there is no such key {key:?}"))),
        (true, None, Some(tenant)) => Err(BadRequest::new("tenant", format!("no key belongs to {tenant:?}"))),
        _ => Ok(keys),
    }
}
