//! `POST /v1/tokens`: a key's holder mints a browser-safe token.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use shared::app::App;
use shared::app::body::object;
use shared::app::mint;
use shared::http::{Body, json, token};
use shared::protocol::dialect::Dialect;

use super::reply;

pub(crate) async fn mint(app: &Arc<App>, request: &Request<Bytes>, request_id: &str) -> Response<Body> {
    let key = token(request.headers());
    match mint::mint(app, key.as_deref(), object(request.body())).await {
        Ok(minted) => json(201, request_id, &minted),
        Err(refused) => reply::refuse(&refused, Dialect::OpenAi, request_id),
    }
}
