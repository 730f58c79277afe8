//! One attempt at one provider: open, wait for the first content, forward the rest.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};

use super::run::Outlet;
use crate::domain::reservation::Reservation;
use crate::ports::{AttemptError, ChunkStream, Upstream};
use crate::protocol::answer::Answer;
use crate::protocol::canonical::{ChatRequest, Chunk};

/// Bytes of chunks held back while no content has come; a provider that sends more is broken.
const PEEK_CHUNKS_MAX: usize = 256;

/// What bounds an attempt in time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// For the first content, from dispatch.
    pub first_token: Duration,
    /// For every further chunk.
    pub idle: Duration,
    /// When everything must be over.
    pub deadline: Instant,
}

/// How an attempt ended. `answer` is what was received, complete or not.
#[derive(Debug)]
pub(super) struct Attempted {
    pub answer: Answer,
    /// Content reached the caller, so nobody else may answer this request any more.
    pub committed: bool,
    /// The provider itself reported usage.
    pub usage_reported: bool,
    pub output_bytes: u64,
    pub end: Result<(), AttemptError>,
}

/// Calls the provider that `paid` holds money for, and forwards what it says. Falling back stays
/// possible until the first content: the chunks before it are held back.
pub(super) async fn attempt(
    upstream: &dyn Upstream,
    paid: &Reservation,
    request: &ChatRequest,
    limits: &Limits,
    outlet: &mut Outlet<'_>,
) -> Attempted {
    let mut state = Attempted {
        answer: Answer::default(),
        committed: false,
        usage_reported: false,
        output_bytes: 0,
        end: Ok(()),
    };
    let first_by = (Instant::now() + limits.first_token).min(limits.deadline);
    state.end = match timeout_at(first_by, upstream.open(paid, request)).await {
        Err(_) => Err(AttemptError::Timeout("no answer")),
        Ok(Err(error)) => Err(error),
        Ok(Ok(stream)) => forward(stream, request, limits, first_by, outlet, &mut state).await,
    };
    state
}

async fn forward(
    mut stream: ChunkStream,
    request: &ChatRequest,
    limits: &Limits,
    first_by: Instant,
    outlet: &mut Outlet<'_>,
    state: &mut Attempted,
) -> Result<(), AttemptError> {
    let mut held_back: Vec<Chunk> = Vec::new();
    loop {
        let by = if state.committed { (Instant::now() + limits.idle).min(limits.deadline) } else { first_by };
        let chunk = match timeout_at(by, stream.next()).await {
            Err(_) => {
                return Err(AttemptError::Timeout(if state.committed {
                    "silence mid-stream"
                } else {
                    "no first token"
                }));
            }
            Ok(None) => break,
            // Everything was said; only the provider's farewell is missing.
            Ok(Some(Err(_))) if state.answer.is_complete(request.choices) => break,
            Ok(Some(Err(error))) => return Err(error),
            Ok(Some(Ok(chunk))) => chunk,
        };
        state.answer.push(&chunk);
        state.usage_reported |= chunk.usage.is_some();
        state.output_bytes += chunk.deltas.iter().map(|delta| delta.output_bytes()).sum::<u64>();
        if !state.committed && !chunk.deltas.iter().any(|delta| delta.has_content()) {
            if held_back.len() >= PEEK_CHUNKS_MAX {
                return Err(AttemptError::Broken("endless preamble without content".to_owned()));
            }
            held_back.push(chunk);
            continue;
        }
        if !state.committed {
            state.committed = true;
            outlet.open(&state.answer).await;
            for early in held_back.drain(..) {
                outlet.chunk(early).await;
            }
        }
        outlet.chunk(chunk).await;
    }
    match state.answer.is_complete(request.choices) {
        true => Ok(()),
        false => Err(AttemptError::Broken("the stream ended without a finish_reason".to_owned())),
    }
}
