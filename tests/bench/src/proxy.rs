//! A pass-through: hyper in, hyper out with kept connections, bodies carried frame by frame. What
//! the gateway costs beyond it is the gateway's own work.

use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::server::{self, Outcome};

type Upstream = Client<HttpConnector, Incoming>;
type Carried = UnsyncBoxBody<Bytes, hyper::Error>;

pub(crate) async fn serve(authority: &str) -> Outcome {
    let authority: Authority = authority.parse()?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Upstream = Client::builder(TokioExecutor::new()).build(connector);
    server::serve(move |request| carry(client.clone(), authority.clone(), request)).await
}

async fn carry(client: Upstream, authority: Authority, request: Request<Incoming>) -> Response<Carried> {
    let (mut parts, body) = request.into_parts();
    let mut target = parts.uri.into_parts();
    (target.scheme, target.authority) = (Some(Scheme::HTTP), Some(authority));
    parts.uri = Uri::from_parts(target).unwrap_or_default();
    match client.request(Request::from_parts(parts, body)).await {
        Ok(response) => response.map(BodyExt::boxed_unsync),
        Err(_) => {
            let empty = Empty::new().map_err(|never| match never {}).boxed_unsync();
            let mut response = Response::new(empty);
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }
    }
}
