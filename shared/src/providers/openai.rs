//! Calls a provider that speaks the OpenAI chat-completions dialect.

use std::collections::VecDeque;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

use super::Provider;
use super::response::{send_error, status_error};
use crate::domain::reservation::Reservation;
use crate::ports::{AttemptError, ChunkStream};
use crate::protocol::canonical::{ChatRequest, Chunk};
use crate::protocol::openai::outbound;
use crate::protocol::openai::stream::{Frame, read};
use crate::protocol::sse::SseReader;

pub(super) async fn open(
    provider: &Provider,
    paid: &Reservation,
    request: &ChatRequest,
) -> Result<ChunkStream, AttemptError> {
    let body =
        outbound::body(request, paid.target().model(), paid.bound().max_output_tokens, provider.limit_field);
    let mut call = provider
        .client
        .post(format!("{}/chat/completions", provider.base_url))
        .header("content-type", "application/json")
        .header("accept", "text/event-stream")
        .body(body.to_string());
    if let Some(secret) = &provider.secret {
        call = call.bearer_auth(secret);
    }
    let response = call.send().await.map_err(send_error)?;
    if !response.status().is_success() {
        return Err(status_error(response).await);
    }
    let bytes = response.bytes_stream().map(|part| part.map_err(send_error)).boxed();
    Ok(chunks(bytes))
}

struct Reading {
    bytes: BoxStream<'static, Result<bytes::Bytes, AttemptError>>,
    reader: SseReader,
    /// Events that are read and not yet handed on.
    events: VecDeque<String>,
    over: bool,
}

/// The canonical stream of a body. It ends at `[DONE]`, at the first error, or with the body.
fn chunks(bytes: BoxStream<'static, Result<bytes::Bytes, AttemptError>>) -> ChunkStream {
    let reading = Reading { bytes, reader: SseReader::default(), events: VecDeque::new(), over: false };
    stream::unfold(reading, |mut reading| async move {
        let next = reading.next().await?;
        reading.over |= next.is_err();
        Some((next, reading))
    })
    .boxed()
}

impl Reading {
    async fn next(&mut self) -> Option<Result<Chunk, AttemptError>> {
        if self.over {
            return None;
        }
        while self.events.is_empty() {
            match self.bytes.next().await? {
                Err(error) => return Some(Err(error)),
                Ok(bytes) => match self.reader.feed(&bytes) {
                    Ok(events) => self.events.extend(events),
                    Err(_) => {
                        return Some(Err(AttemptError::Broken(
                            "a line of the stream is too long".to_owned(),
                        )));
                    }
                },
            }
        }
        match read(&self.events.pop_front()?) {
            Ok(Frame::Done) => None,
            Ok(Frame::Chunk(chunk)) => Some(Ok(chunk)),
            Ok(Frame::Error { message, code }) => Some(Err(AttemptError::InStream { message, code })),
            Err(why) => Some(Err(AttemptError::Broken(why))),
        }
    }
}
