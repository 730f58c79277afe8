//! `POST /v1/embeddings`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use shared::app::App;
use shared::app::body::object;
use shared::app::embed::{Arrival, Reply, embed};
use shared::domain::id::AttemptId;
use shared::http::{Body, token};
use shared::protocol::dialect::Dialect;
use shared::protocol::embeddings::openai::read;
use tokio::time::Instant;

use super::reply::{self, entry, put};

pub(crate) async fn respond(
    app: &Arc<App>,
    request: &Request<Bytes>,
    id: AttemptId,
    deadline: Instant,
) -> Response<Body> {
    let inbound = object(request.body()).and_then(|body| Ok(read(body)?));
    let (inbound, idempotency) = match super::idempotency_key(request) {
        Ok(key) => (inbound, key),
        Err(fault) => (Err(fault.into()), None),
    };
    let token = token(request.headers());
    match embed(app, Arrival { request_id: id, token, inbound, idempotency, deadline }).await {
        Ok(reply) => answer(&reply, &id.to_string()),
        Err(refused) => reply::refuse(&refused, Dialect::OpenAi, &id.to_string()),
    }
}

fn answer(reply: &Reply, request_id: &str) -> Response<Body> {
    let body = Body::whole(reply.kept.body.clone());
    let mut response = reply::bare("application/json", request_id, body);
    let headers = response.headers_mut();
    put(headers, "x-tollgate-cache", "bypass");
    put(headers, "cache-status", "tollgate; fwd=bypass");
    put(headers, "x-tollgate-model", &reply.kept.served_by);
    put(headers, "x-tollgate-attempts", &reply.attempts.to_string());
    put(headers, "x-tollgate-cost-usd", &reply.kept.cost.to_string());
    if reply.is_replay {
        put(headers, "idempotent-replayed", "true");
    }
    for (name, value) in reply.rates.headers() {
        put(headers, name, &value);
    }
    let mut timing = vec![entry("auth", reply.auth), entry("admit", reply.admit)];
    if reply.upstream > Duration::ZERO {
        timing.push(entry("upstream", reply.upstream));
    }
    put(headers, "server-timing", &timing.join(", "));
    response
}
