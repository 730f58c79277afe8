//! `POST /v1/messages/count_tokens`.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use shared::app::App;
use shared::app::body::object;
use shared::app::count::count;
use shared::http::{Body, identify, json, token};
use shared::protocol::anthropic::count::{read, render};
use shared::protocol::dialect::Dialect;

use super::betas;
use super::reply::{self, put};

pub(crate) async fn respond(app: &Arc<App>, request: &Request<Bytes>, request_id: &str) -> Response<Body> {
    let inbound = object(request.body()).and_then(|mut body| {
        body.extend(betas::field(request.headers()));
        Ok(read(body)?)
    });
    match count(app, token(request.headers()).as_deref(), inbound).await {
        Ok(count) => {
            let mut response = json(200, request_id, &render(count.tokens));
            identify(response.headers_mut(), Dialect::Anthropic, request_id);
            let how = if count.estimated { "estimated" } else { "counted" };
            put(response.headers_mut(), "x-tollgate-tokens", how);
            response
        }
        Err(refused) => reply::refuse(&refused, Dialect::Anthropic, request_id),
    }
}
