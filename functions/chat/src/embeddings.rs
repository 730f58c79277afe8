//! `POST /v1/embeddings`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use shared::app::App;
use shared::app::body::object;
use shared::app::embed::{Reply, embed};
use shared::app::serve::CacheStatus;
use shared::domain::event::Operation;
use shared::domain::id::AttemptId;
use shared::http::Body;
use shared::protocol::dialect::Dialect;
use shared::protocol::embeddings::openai::read;
use tokio::time::Instant;

use super::observed;
use super::reply::{self, entry, put};

pub(crate) async fn respond(
    app: &Arc<App>,
    request: &Request<Bytes>,
    id: AttemptId,
    deadline: Instant,
) -> Response<Body> {
    let inbound = object(request.body()).and_then(|body| Ok(read(body)?));
    let path = request.uri().path().trim_end_matches('/');
    let observed = observed::begin(app, id, Operation::Embeddings, path, request.headers());
    let response = match embed(app, super::arrive(request, id, inbound, deadline, &observed)).await {
        Ok(reply) => answer(&reply, &id.to_string()),
        Err(refused) => {
            observed.refused(&refused.report(Dialect::OpenAi));
            reply::refuse(&refused, Dialect::OpenAi, &id.to_string())
        }
    };
    observed::to_its_end(response, observed)
}

fn answer(reply: &Reply, request_id: &str) -> Response<Body> {
    let body = Body::whole(reply.kept.body.clone());
    let mut response = reply::bare("application/json", request_id, body);
    let headers = response.headers_mut();
    reply::tell_cache(headers, CacheStatus::Bypass, None, reply.is_replay);
    reply::tell_source(headers, &reply.kept.served_by, reply.attempts, reply.rates);
    put(headers, "x-tollgate-cost-usd", &reply.kept.cost.to_string());
    let mut timing = vec![entry("auth", reply.auth), entry("admit", reply.admit)];
    if reply.upstream > Duration::ZERO {
        timing.push(entry("upstream", reply.upstream));
    }
    put(headers, "server-timing", &timing.join(", "));
    response
}
