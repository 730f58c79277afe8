//! Responses and their bodies: performs the acts of an answer as the client reads it.

use std::fmt;
use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::unfold;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use serde_json::Value;

use super::reply::Act;
use super::state::Meter;

pub(super) type Body = UnsyncBoxBody<Bytes, Reset>;

/// Ends the connection with RST.
#[derive(Debug)]
pub(super) struct Reset;

/// A response of one content type.
pub(super) fn typed(status: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(super) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    typed(status, "application/json", whole(value.to_string()))
}

/// A body known in full, sent with its length.
pub(super) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body of unknown length that performs `acts`.
pub(super) fn performed(acts: Vec<Act>, meter: Meter) -> Body {
    let frames = unfold((acts.into_iter(), meter), |(mut acts, mut meter)| async move {
        let frame = next_frame(&mut acts, &mut meter).await?;
        Some((frame.map(Frame::data), (acts, meter)))
    });
    StreamBody::new(frames).boxed_unsync()
}

pub(super) async fn wait(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}

async fn next_frame(acts: &mut impl Iterator<Item = Act>, meter: &mut Meter) -> Option<Result<Bytes, Reset>> {
    loop {
        match acts.next()? {
            Act::Wait(duration) => tokio::time::sleep(duration).await,
            Act::Send(bytes) => return Some(Ok(bytes)),
            Act::Charge(bytes, tokens) => {
                meter.charge(tokens);
                return Some(Ok(bytes));
            }
            Act::Hang => pending().await,
            Act::Reset => {
                // The server flushes what it has only when the body is not ready; without this
                // the reset would overtake the tokens before it.
                tokio::task::yield_now().await;
                return Some(Err(Reset));
            }
        }
    }
}

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the script resets the connection")
    }
}

impl std::error::Error for Reset {}
