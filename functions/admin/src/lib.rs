//! The `admin` function: keys, budgets, alerts and the log of changes, for the admin key or a session of it;
//! and the dashboard.

mod alerts;
mod audit;
mod budgets;
mod caller;
mod dashboard;
mod keys;
mod overview;
mod query;
mod session;
mod tenants;
pub mod wiring;

use bytes::Bytes;
use http::{Request, Response};
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use percent_encoding::percent_decode_str;
use shared::app::administer::Admin;
use shared::app::error::GatewayError;
use shared::app::overview::Overview;
use shared::domain::audit::Who;
use shared::http::{Body, CallerAddress, error};
use shared::protocol::dialect::Dialect;
use shared::protocol::error::no_route;
use shared::protocol::fields::BadRequest;

pub use dashboard::Files;
use query::Query;
use session::Credentials;

/// The routes of this function; `{id}` stands for one path segment.
pub const ROUTES: &[(&str, &str)] = &[
    ("POST", "/admin/keys"),
    ("GET", "/admin/keys"),
    ("GET", "/admin/keys/{id}"),
    ("PATCH", "/admin/keys/{id}"),
    ("DELETE", "/admin/keys/{id}"),
    ("POST", "/admin/keys/{id}/release"),
    ("GET", "/admin/budgets"),
    ("GET", "/admin/budgets/{scope}/{id}"),
    ("PUT", "/admin/budgets/{scope}/{id}"),
    ("GET", "/admin/tenants"),
    ("GET", "/admin/tenants/{id}"),
    ("GET", "/admin/teams"),
    ("GET", "/admin/alerts"),
    ("GET", "/admin/alerts/{id}"),
    ("POST", "/admin/alerts/{id}/acknowledge"),
    ("GET", "/admin/audit"),
    ("GET", "/admin/overview"),
    ("POST", "/admin/session"),
    ("GET", "/admin/session"),
    ("DELETE", "/admin/session"),
    ("GET", "/dashboard"),
    ("GET", "/dashboard/{file}"),
];

/// What the function needs.
pub struct Office {
    pub admin: Admin,
    pub overview: Overview,
    pub files: Files,
}

/// Whether this function answers `path`, for servers that are not API Gateway.
pub fn answers(path: &str) -> bool {
    ["/admin", "/dashboard"]
        .iter()
        .any(|own| path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// One invocation from API Gateway.
pub async fn invoke(office: &Office, event: lambda_http::Request) -> Response<Body> {
    let request_id = event.lambda_context().request_id;
    let address = source_address(&event);
    let (mut parts, body) = event.into_parts();
    if let Some(address) = address {
        parts.extensions.insert(CallerAddress(address));
    }
    let body = match body {
        lambda_http::Body::Text(text) => Bytes::from(text),
        lambda_http::Body::Binary(bytes) => Bytes::from(bytes),
        _ => Bytes::new(),
    };
    handle(office, Request::from_parts(parts, body), &request_id).await
}

/// Answers one request. Every route but the page itself needs the admin key or a session, also those
/// that do not exist.
pub async fn handle(office: &Office, request: Request<Bytes>, request_id: &str) -> Response<Body> {
    if let Some(file) = office.files.respond(&request, request_id) {
        return file;
    }
    match route(office, &request, request_id).await {
        Ok(response) => response,
        Err(refused) => error(&refused.logged(Dialect::OpenAi, request_id), Dialect::OpenAi, request_id),
    }
}

/// One request of somebody who may administer.
pub(crate) struct Call<'a> {
    pub(crate) admin: &'a Admin,
    pub(crate) who: Who,
    pub(crate) request: &'a Request<Bytes>,
    pub(crate) id: &'a str,
}

impl Call<'_> {
    pub(crate) fn query(&self, known: &[&str]) -> Result<Query, BadRequest> {
        Query::read(self.request.uri().query(), known)
    }
}

/// None where there is no such route.
pub(crate) type Answered = Result<Option<Response<Body>>, GatewayError>;

async fn route(office: &Office, request: &Request<Bytes>, id: &str) -> Result<Response<Body>, GatewayError> {
    let (admin, path) = (&office.admin, request.uri().path().trim_end_matches('/'));
    if path == "/admin/session"
        && let Some(answered) = session::respond(admin, request, id).await?
    {
        return Ok(answered);
    }
    admin.authorize(&Credentials::of(request).presented())?;
    let call = Call { admin, who: caller::who(admin, request)?, request, id };
    let segments: Vec<String> = path.trim_start_matches('/').split('/').map(decoded).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let answered = match segments.as_slice() {
        // An id is never empty.
        segments if segments.contains(&"") => None,
        ["admin", "keys", rest @ ..] => keys::respond(&call, rest).await?,
        ["admin", "budgets", rest @ ..] => budgets::respond(&call, rest).await?,
        ["admin", "tenants" | "teams", ..] => tenants::respond(&call, &segments[1..]).await?,
        ["admin", "alerts", rest @ ..] => alerts::respond(&call, rest).await?,
        ["admin", "audit", rest @ ..] => audit::respond(&call, rest).await?,
        ["admin", "overview"] => overview::respond(&office.overview, &call).await?,
        _ => None,
    };
    Ok(answered.unwrap_or_else(|| {
        let method = request.method().as_str();
        let takes_others = ROUTES.iter().any(|(own, route)| *own != method && fits(route, &segments));
        error(&no_route(method, path, takes_others), Dialect::OpenAi, id)
    }))
}

/// As API Gateway saw it; what a header says of it proves nothing.
fn source_address(event: &lambda_http::Request) -> Option<String> {
    match event.request_context_ref()? {
        RequestContext::ApiGatewayV1(context) => context.identity.source_ip.clone(),
        _ => None,
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
