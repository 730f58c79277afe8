//! A bare hyper server: one task a connection, nothing else.

use std::convert::Infallible;
use std::error::Error;
use std::net::Ipv4Addr;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

pub(crate) type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// Serves `answer` on a free port of the loopback, announced in one line, until it is ended.
pub(crate) async fn serve<A, F, B>(answer: A) -> Outcome
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("ready http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let answered = answer(request);
            async move { Ok::<_, Infallible>(answered.await) }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        // A client that goes away mid-request is its own business.
        tokio::spawn(async move { connection.await.unwrap_or_default() });
    }
}
