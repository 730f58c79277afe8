//! The `admin` function: keys and budgets, for the admin key only.

pub mod wiring;

use bytes::Bytes;
use http::{Method, Request, Response};
use lambda_http::RequestExt;
use percent_encoding::percent_decode_str;
use serde_json::json;
use shared::app::administer::Admin;
use shared::app::body::object;
use shared::app::error::GatewayError;
use shared::http::{Body, error, json, token};
use shared::protocol::dialect::Dialect;
use shared::protocol::error::no_route;
use shared::protocol::fields::BadRequest;

/// The routes of this function; `{id}` stands for one path segment.
pub const ROUTES: &[(&str, &str)] = &[
    ("POST", "/admin/keys"),
    ("GET", "/admin/keys"),
    ("DELETE", "/admin/keys/{id}"),
    ("POST", "/admin/keys/{id}/release"),
    ("GET", "/admin/budgets"),
    ("GET", "/admin/budgets/{scope}/{id}"),
    ("PUT", "/admin/budgets/{scope}/{id}"),
];

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
    let segments: Vec<String> = path.trim_start_matches('/').split('/').map(decoded).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let method = request.method();
    match (method, segments.as_slice()) {
        (&Method::POST, ["admin", "keys"]) => {
            let created = admin.create(object(request.body())?).await?;
            Ok(json(201, request_id, &created))
        }
        (&Method::GET, ["admin", "keys"]) => {
            Ok(json(200, request_id, &json!({ "keys": admin.list().await? })))
        }
        (&Method::DELETE, ["admin", "keys", id]) if !id.is_empty() => match admin.revoke(id).await? {
            true => Ok(json(200, request_id, &json!({ "id": id, "revoked": true }))),
            false => Ok(error(&no_key(id), Dialect::OpenAi, request_id)),
        },
        (&Method::POST, ["admin", "keys", id, "release"]) if !id.is_empty() => {
            Ok(json(200, request_id, &admin.release(id).await?))
        }
        (&Method::GET, ["admin", "budgets"]) => {
            Ok(json(200, request_id, &json!({ "budgets": admin.budgets().await? })))
        }
        (&Method::GET, ["admin", "budgets", scope, id]) if !id.is_empty() => {
            let view = admin.budget(scope, id, tenant(request.uri().query())?).await?;
            Ok(json(200, request_id, &view))
        }
        (&Method::PUT, ["admin", "budgets", scope, id]) if !id.is_empty() => {
            let view = admin.set_budget(scope, id, object(request.body())?).await?;
            Ok(json(200, request_id, &view))
        }
        (method, segments) => {
            let known = ROUTES.iter().any(|(_, route)| fits(route, segments));
            Ok(error(&no_route(method.as_str(), path, known), Dialect::OpenAi, request_id))
        }
    }
}

/// A segment of the path as its owner wrote it; ids may hold any character.
fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// Whether the segments are those of `route`, whatever stands for its `{}`.
fn fits(route: &str, segments: &[&str]) -> bool {
    let known: Vec<&str> = route.trim_start_matches('/').split('/').collect();
    let alike =
        |(known, given): (&&str, &&str)| known == given || (known.starts_with('{') && !given.is_empty());
    known.len() == segments.len() && known.iter().zip(segments).all(alike)
}

/// `?tenant=`, whose team or user it is.
fn tenant(query: Option<&str>) -> Result<Option<String>, BadRequest> {
    let mut tenant = None;
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("tenant", value)) => tenant = Some(decoded(value)),
            _ => return Err(BadRequest::new(pair, format!("unknown query parameter {pair:?}"))),
        }
    }
    Ok(tenant)
}

fn no_key(id: &str) -> shared::protocol::error::ErrorReport {
    let mut report = no_route("DELETE", &format!("/admin/keys/{id}"), false);
    report.code = "key_not_found";
    report.message = format!("there is no key {id:?}");
    report
}
