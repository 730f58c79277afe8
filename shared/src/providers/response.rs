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
    let aws_name = response.headers().get("x-amzn-errortype").and_then(|value| value.to_str().ok());
    let aws_name = aws_name.map(exception_name);
    let mut body = Vec::new();
    while let Ok(Some(bytes)) = response.chunk().await {
        body.extend_from_slice(&bytes);
        if body.len() >= ERROR_BYTES_MAX {
            break;
        }
    }
    let parsed: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let (message, code) = told(&parsed);
    let code = aws_name.or(code);
    let message = message.chars().take(MESSAGE_CHARS_MAX).collect();
    AttemptError::Status { status, message, code, retry_after }
}

/// Message and code of an error body. Services of AWS do not agree on the case of `Message`.
fn told(body: &Value) -> (String, Option<String>) {
    if let Some(message) = body.get("Message").and_then(Value::as_str) {
        return (message.to_owned(), None);
    }
    match error_frame(body.get("error").unwrap_or(body)) {
        Frame::Error { message, code } => (message, code),
        Frame::Chunk(_) | Frame::Done => (String::new(), None),
    }
}

/// The name in `x-amzn-errortype`, which may stand between a namespace and an address:
/// `com.amazon.coral.service#ThrottlingException:http://internal.amazon.com/`.
fn exception_name(header: &str) -> String {
    let name = header.split(':').next().unwrap_or_default();
    name.rsplit('#').next().unwrap_or_default().trim().to_owned()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_body_is_read_in_every_dialect() {
        let openai = json!({ "error": { "message": "no", "type": "server_error", "code": null } });
        assert_eq!(told(&openai), ("no".to_owned(), Some("server_error".to_owned())));
        assert_eq!(told(&json!({ "message": "no" })), ("no".to_owned(), None));
        assert_eq!(told(&json!({ "Message": "no" })), ("no".to_owned(), None));
    }

    #[test]
    fn an_exception_is_named_without_what_surrounds_it() {
        for header in [
            "ThrottlingException",
            "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/",
            "com.amazon.coral.service#ThrottlingException",
        ] {
            assert_eq!(exception_name(header), "ThrottlingException", "{header}");
        }
    }
}
