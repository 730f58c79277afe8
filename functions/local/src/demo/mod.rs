//! The scripted `demo` provider: a real HTTP server that speaks the APIs of OpenAI, Anthropic and
//! Amazon Bedrock and fails on demand, so that the gateway's handling of faults can be tried
//! without a provider.
//!
//! The model name is the script (`ok`, `delay-500+cut-3`, `429-retry-2`), whatever the dialect. In
//! reading order:
//! - `script`: what a model name asks for
//! - `asked`, `answer`, `schema`, `vector`: what was asked, and what to say
//! - `dialect`: what tells one API from another; `openai`, `anthropic`, `bedrock`: the three
//! - `reply`, `document`: the acts of an answer, as data; `error`: what is said instead
//! - `body`: performs the acts on a response body
//! - `routes`, `call`, `chat`, `embed`: the providers' surface; `control`: the test's
//! - `state`: calls, behaviours and the bill

use std::error::Error as _;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub use script::ScriptError;
pub use state::{Charge, Demo};

mod answer;
mod anthropic;
mod asked;
mod bedrock;
mod body;
mod call;
mod chat;
mod control;
mod dialect;
mod document;
mod embed;
mod error;
mod openai;
mod reply;
mod routes;
mod schema;
mod script;
mod state;
mod vector;

#[cfg(test)]
mod tests;

/// Serves the demo provider on `listener` until `shutdown` resolves.
///
/// Connections still open at that moment are dropped: some of them hang by design, so there is
/// nothing to wait for.
pub async fn serve(listener: TcpListener, demo: Demo, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let mut shutdown = pin!(shutdown);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, demo.clone()));
                }
                // The peer may have gone already, or descriptors may have run out: neither is
                // a reason to stop serving, and the pause keeps the second from spinning.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
        }
    }
}

async fn serve_connection(stream: TcpStream, demo: Demo) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(move |request| routes::route(demo.clone(), request));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let Err(failure) = (&mut connection).await else {
        return;
    };
    if failure.source().is_some_and(|cause| cause.is::<body::Reset>()) {
        let stream = connection.into_parts().io.into_inner();
        // Closing a socket that lingers for no time sends RST instead of FIN. Should the option
        // be refused, the peer sees an unclean end all the same.
        let _ = stream.set_zero_linger();
    }
}
