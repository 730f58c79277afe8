//! The laptop's HTTP server: hands each request to the function that API Gateway would.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use shared::app::body::BODY_BYTES_MAX;
use shared::app::error::GatewayError;
use shared::app::serve::request_id;
use shared::http::{Body, CallerAddress, error};
use shared::protocol::dialect::Dialect;
use shared::protocol::fields::BadRequest;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::gateway::Gateway;

/// How long open requests may take to end after a shutdown was asked for.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until `shutdown` resolves, then lets open requests end. Each has `time`, as a function
/// would have until it is stopped.
pub async fn serve(
    listener: TcpListener,
    gateway: Gateway,
    time: Duration,
    shutdown: impl Future<Output = ()>,
) {
    let gateway = Arc::new(gateway);
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, peer)) => accept(stream, peer, &gateway, time, &graceful),
            // Out of descriptors, most likely: wait for some to be closed.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}

fn accept(
    stream: TcpStream,
    peer: SocketAddr,
    gateway: &Arc<Gateway>,
    time: Duration,
    graceful: &GracefulShutdown,
) {
    // Without it, Nagle and delayed acknowledgements add 40 ms to a stream's first token.
    let _ = stream.set_nodelay(true);
    let gateway = Arc::clone(gateway);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(CallerAddress(peer.ip().to_string()));
        let gateway = Arc::clone(&gateway);
        async move { Ok::<_, Infallible>(answer(&gateway, request, time).await) }
    });
    let connection =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    tokio::spawn(graceful.watch(connection));
}

async fn answer(gateway: &Gateway, request: Request<Incoming>, time: Duration) -> Response<Body> {
    let id = request_id(&gateway.app).to_string();
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let dialect = Dialect::of_path(path);
    let body = match read(body).await {
        Ok(body) => body,
        Err(refused) => return error(&refused.report(dialect), dialect, &id),
    };
    let (to_usage, to_cache) = (usage::answers(path), cache::answers(path));
    let to_admin = admin::answers(path);
    let request = Request::from_parts(parts, body);
    if to_usage {
        usage::handle(&gateway.usage, request, &id).await
    } else if to_cache {
        cache::handle(&gateway.cache, request, &id).await
    } else if to_admin {
        admin::handle(&gateway.office, request, &id).await
    } else {
        chat::handle(&gateway.app, request, Instant::now() + time).await
    }
}

async fn read(body: Incoming) -> Result<Bytes, GatewayError> {
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(GatewayError::TooLarge { limit: BODY_BYTES_MAX }),
        Err(_) => Err(BadRequest::new("", "the body broke off").into()),
    }
}
