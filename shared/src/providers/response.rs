//! What every dialect does with a response: a stream of chunks, or an error.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde_json::Value;

use crate::ports::{AttemptError, ChunkStream};
use crate::protocol::canonical::Chunk;
use crate::protocol::frame::{Decoder, Frame};
use crate::protocol::openai::stream::error_frame;

/// Bytes of an error body that are read.
const ERROR_BYTES_MAX: usize = 64 << 10;
/// The longest text of a provider that is passed on.
const MESSAGE_CHARS_MAX: usize = 500;

/// Turns a failed send into what it means: nothing was sent, or it may have been.
pub(super) fn send_error(error: reqwest::Error) -> AttemptError {
    // The URL is the operator's and may carry more than a host.
    let error = error.without_url();
    match error.is_connect() {
        true => AttemptError::Connect(format!("{error:?}")),
        false => AttemptError::Broken(format!("{error:?}")),
    }
}

/// Reads an error answer.
pub(super) async fn status_error(mut response: reqwest::Response) -> AttemptError {
    let status = response.status().as_u16();
    let retry_after =
        response.headers().get("retry-after").and_then(|value| value.to_str().ok()).and_then(retry_after);
    let mut body = Vec::new();
    while let Ok(Some(bytes)) = response.chunk().await {
        body.extend_from_slice(&bytes);
        if body.len() >= ERROR_BYTES_MAX {
            break;
        }
    }
    let parsed: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let (message, code) = match error_frame(parsed.get("error").unwrap_or(&parsed)) {
        Frame::Error { message, code } => (message, code),
        Frame::Chunk(_) | Frame::Done => (String::new(), None),
    };
    let message = message.chars().take(MESSAGE_CHARS_MAX).collect();
    AttemptError::Status { status, message, code, retry_after }
}

/// `Retry-After` in seconds; the form as a date is rare and treated as absent.
fn retry_after(value: &str) -> Option<Duration> {
    value.trim().parse().ok().map(Duration::from_secs)
}

/// The canonical stream of a body. It ends at the provider's own end mark, at the first error, or
/// with the body.
pub(super) fn chunks(response: reqwest::Response, decoder: impl Decoder + 'static) -> ChunkStream {
    let bytes = response.bytes_stream().map(|part| part.map_err(send_error)).boxed();
    let reading = Reading { bytes, decoder: Box::new(decoder), frames: VecDeque::new(), over: false };
    stream::unfold(reading, |mut reading| async move {
        let next = reading.next().await?;
        reading.over |= next.is_err();
        Some((next, reading))
    })
    .boxed()
}

struct Reading {
    bytes: BoxStream<'static, Result<Bytes, AttemptError>>,
    decoder: Box<dyn Decoder>,
    /// Frames that are read and not yet handed on.
    frames: VecDeque<Result<Frame, String>>,
    over: bool,
}

impl Reading {
    async fn next(&mut self) -> Option<Result<Chunk, AttemptError>> {
        if self.over {
            return None;
        }
        while self.frames.is_empty() {
            match self.bytes.next().await? {
                Err(error) => return Some(Err(error)),
                Ok(bytes) => self.frames.extend(self.decoder.feed(&bytes)),
            }
        }
        match self.frames.pop_front()? {
            Ok(Frame::Done) => None,
            Ok(Frame::Chunk(chunk)) => Some(Ok(chunk)),
            Ok(Frame::Error { message, code }) => Some(Err(AttemptError::InStream { message, code })),
            Err(why) => Some(Err(AttemptError::Broken(why))),
        }
    }
}
