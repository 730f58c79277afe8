//! The `chat` function: every route that talks to a model, as one handler for Lambda and laptop.

mod betas;
mod cors;
mod count;
mod embeddings;
mod models;
mod observed;
mod plain;
mod reply;
mod stream;
mod tokens;
mod told;
pub mod wiring;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use lambda_http::RequestExt;
use serde_json::json;
use shared::app::App;
use shared::app::arrival::{Arrival, Told};
use shared::app::body::object;
use shared::app::error::GatewayError;
use shared::app::idempotent::IdempotencyKey;
use shared::app::observation::Observation;
use shared::app::references;
use shared::app::serve::{request_id, serve};
use shared::domain::event::Operation;
use shared::domain::id::AttemptId;
use shared::domain::time::Timestamp;
use shared::http::{Body, error, token};
use shared::protocol::dialect::Dialect;
use shared::protocol::error::no_route;
use shared::protocol::fields::BadRequest;
use shared::protocol::inbound::Inbound;
use tokio::time::Instant;

/// As long as Lambda lets a function run at most.
const LAMBDA_TIME_MAX: Duration = Duration::from_secs(900);

/// Names the session that a request belongs to; the prompt form has a field for it as well.
const SESSION: &str = "x-tollgate-session";

/// The routes of this function.
pub const ROUTES: &[(&str, &str)] = &[
    ("POST", "/v1/chat"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/messages"),
    ("POST", "/v1/messages/count_tokens"),
    ("POST", "/v1/responses"),
    ("POST", "/v1/embeddings"),
    ("POST", "/v1/tokens"),
    ("GET", "/v1/models"),
    ("GET", "/health"),
];

/// One invocation from API Gateway.
pub async fn invoke(app: &Arc<App>, event: lambda_http::Request) -> Response<Body> {
    let left = time_left(event.lambda_context().deadline, app.clock.now());
    let (parts, body) = event.into_parts();
    let body = match body {
        lambda_http::Body::Text(text) => Bytes::from(text),
        lambda_http::Body::Binary(bytes) => Bytes::from(bytes),
        _ => Bytes::new(),
    };
    handle(app, Request::from_parts(parts, body), Instant::now() + left).await
}

/// Time until the function is stopped. A deadline in the past is none: some emulators send a
/// duration where Lambda sends a point in time.
fn time_left(deadline_ms: u64, now: Timestamp) -> Duration {
    let deadline = Timestamp::from_millis(i64::try_from(deadline_ms).unwrap_or(0));
    match deadline.since(now) {
        Duration::ZERO => LAMBDA_TIME_MAX,
        left => left,
    }
}

/// Answers one request. `deadline` is when the function's time is over.
pub async fn handle(app: &Arc<App>, request: Request<Bytes>, deadline: Instant) -> Response<Body> {
    let origins = &app.config.gateway.cors_origins;
    if origins.is_empty() {
        return route(app, request, deadline).await;
    }
    let origin = cors::allowed(request.headers(), origins);
    if request.method() == Method::OPTIONS {
        return cors::preflight(origin.as_deref());
    }
    let mut response = route(app, request, deadline).await;
    cors::permit(&mut response, origin.as_deref());
    response
}

async fn route(app: &Arc<App>, request: Request<Bytes>, deadline: Instant) -> Response<Body> {
    let id = request_id(app);
    let (method, path) = (request.method().clone(), request.uri().path().trim_end_matches('/').to_owned());
    match (method, path.as_str()) {
        (Method::POST, "/v1/chat/completions") => ask(app, Dialect::OpenAi, request, id, deadline).await,
        (Method::POST, "/v1/responses") => ask(app, Dialect::Responses, request, id, deadline).await,
        (Method::POST, "/v1/messages") => ask(app, Dialect::Anthropic, request, id, deadline).await,
        (Method::POST, "/v1/chat") => ask(app, Dialect::Seed, request, id, deadline).await,
        (Method::POST, "/v1/messages/count_tokens") => count::respond(app, &request, &id.to_string()).await,
        (Method::POST, "/v1/embeddings") => embeddings::respond(app, &request, id, deadline).await,
        (Method::POST, "/v1/tokens") => tokens::mint(app, &request, &id.to_string()).await,
        (Method::GET, "/v1/models") => models::list(app, request.headers(), &id.to_string()).await,
        (Method::GET, "/health") => shared::http::json(
            200,
            &id.to_string(),
            &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }),
        ),
        (method, path) => {
            let known = ROUTES.iter().any(|(_, known)| *known == path);
            let dialect = Dialect::of_path(path);
            error(&no_route(method.as_str(), path, known), dialect, &id.to_string())
        }
    }
}

async fn ask(
    app: &Arc<App>,
    dialect: Dialect,
    request: Request<Bytes>,
    id: AttemptId,
    deadline: Instant,
) -> Response<Body> {
    let path = request.uri().path().trim_end_matches('/');
    let observed = observed::begin(app, id, Operation::Chat, path, request.headers());
    let inbound = read(app, dialect, &request).await;
    let response = match serve(app, arrive(&request, id, inbound, deadline, &observed)).await {
        Ok(reply) => reply::respond(app, dialect, reply).await,
        Err(refused) => {
            observed.refused(&refused.report(dialect));
            reply::refuse(&refused, dialect, &id.to_string())
        }
    };
    observed::to_its_end(response, observed)
}

async fn read(app: &Arc<App>, dialect: Dialect, request: &Request<Bytes>) -> Result<Inbound, GatewayError> {
    let mut body = object(request.body())?;
    if dialect == Dialect::Anthropic {
        body.extend(betas::field(request.headers()));
    }
    if dialect == Dialect::Responses {
        references::restore(app, token(request.headers()).as_deref(), &mut body).await?;
    }
    let mut inbound = dialect.read(body)?;
    if dialect == Dialect::Seed && inbound.stream.is_none() {
        inbound.stream = Some(app.config.gateway.stream_enabled);
    }
    Ok(inbound)
}

/// The request with what its headers say.
fn arrive<I>(
    request: &Request<Bytes>,
    request_id: AttemptId,
    inbound: Result<I, GatewayError>,
    deadline: Instant,
    observed: &Observation,
) -> Arrival<I> {
    let (inbound, idempotency) = match idempotency_key(request) {
        Ok(key) => (inbound, key),
        Err(fault) => (Err(fault.into()), None),
    };
    let (inbound, told) = match told::read(request.headers()) {
        Ok(told) => (inbound, told),
        Err(fault) => (Err(fault.into()), Told::default()),
    };
    let session = request.headers().get(SESSION).and_then(|session| session.to_str().ok());
    Arrival {
        request_id,
        token: token(request.headers()),
        inbound,
        session: session.map(str::to_owned),
        idempotency,
        no_cache: no_cache(request),
        told,
        deadline,
        observed: observed.clone(),
    }
}

/// The `Idempotency-Key` of the request, if it has one.
fn idempotency_key(request: &Request<Bytes>) -> Result<Option<IdempotencyKey>, BadRequest> {
    let Some(key) = request.headers().get("idempotency-key") else {
        return Ok(None);
    };
    let key = key.to_str().unwrap_or_default();
    IdempotencyKey::new(key, request.uri().path(), request.body()).map(Some)
}

/// `x-tollgate-cache: bypass` or `Cache-Control: no-cache` or `no-store`.
fn no_cache(request: &Request<Bytes>) -> bool {
    let has = |name: &str, words: &[&str]| {
        let values = request.headers().get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values
            .flat_map(|value| value.split(','))
            .any(|word| words.contains(&word.trim().to_ascii_lowercase().as_str()))
    };
    has("x-tollgate-cache", &["bypass"]) || has("cache-control", &["no-cache", "no-store"])
}
