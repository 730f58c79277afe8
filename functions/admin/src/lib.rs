//! The `admin` function: keys, for the admin key only.

pub mod wiring;

use bytes::Bytes;
use http::{Method, Request, Response};
use lambda_http::RequestExt;
use serde_json::json;
use shared::app::administer::Admin;
use shared::app::body::object;
use shared::app::error::GatewayError;
use shared::http::{Body, error, json, token};
use shared::protocol::dialect::Dialect;
use shared::protocol::error::no_route;

/// The routes of this function; `{id}` stands for one path segment.
pub const ROUTES: &[(&str, &str)] =
    &[("POST", "/admin/keys"), ("GET", "/admin/keys"), ("DELETE", "/admin/keys/{id}")];

/// One invocation from API Gateway.
pub async fn invoke(admin: &Admin, event: lambda_http::Request) -> Response<Body> {
    let request_id = event.lambda_context().request_id;
    let (parts, body) = event.into_parts();
    let body = match body {
        lambda_http::Body::Text(text) => Bytes::from(text),
        lambda_http::Body::Binary(bytes) => Bytes::from(bytes),
        _ => Bytes::new(),
    };
    handle(admin, Request::from_parts(parts, body), &request_id).await
}

/// Answers one request. Every route needs the admin key, also those that do not exist.
pub async fn handle(admin: &Admin, request: Request<Bytes>, request_id: &str) -> Response<Body> {
    match route(admin, &request, request_id).await {
        Ok(response) => response,
        Err(refused) => error(&refused.logged(Dialect::OpenAi, request_id), Dialect::OpenAi, request_id),
    }
}

async fn route(
    admin: &Admin,
    request: &Request<Bytes>,
    request_id: &str,
) -> Result<Response<Body>, GatewayError> {
    admin.authorize(token(request.headers()).as_deref())?;
    let path = request.uri().path().trim_end_matches('/');
    let key_id = path.strip_prefix("/admin/keys/").filter(|id| !id.is_empty() && !id.contains('/'));
    match (request.method(), path, key_id) {
        (&Method::POST, "/admin/keys", _) => {
            let created = admin.create(object(request.body())?).await?;
            Ok(json(201, request_id, &created))
        }
        (&Method::GET, "/admin/keys", _) => {
            Ok(json(200, request_id, &json!({ "keys": admin.list().await? })))
        }
        (&Method::DELETE, _, Some(id)) => match admin.revoke(id).await? {
            true => Ok(json(200, request_id, &json!({ "id": id, "revoked": true }))),
            false => Ok(error(&no_key(id), Dialect::OpenAi, request_id)),
        },
        (method, path, key_id) => {
            let known = path == "/admin/keys" || key_id.is_some();
            Ok(error(&no_route(method.as_str(), path, known), Dialect::OpenAi, request_id))
        }
    }
}

fn no_key(id: &str) -> shared::protocol::error::ErrorReport {
    let mut report = no_route("DELETE", &format!("/admin/keys/{id}"), false);
    report.code = "key_not_found";
    report.message = format!("there is no key {id:?}");
    report
}
