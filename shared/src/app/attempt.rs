//! One attempt at one provider: open, wait for the first content, forward the rest.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};

use super::observation::Came;
use super::run::Outlet;
use crate::domain::money::NanoUsd;
use crate::domain::reservation::Reservation;
use crate::domain::usage::TokenUsage;
use crate::ports::{AttemptError, ChunkStream, Upstream};
use crate::protocol::answer::Answer;
use crate::protocol::canonical::{ChatRequest, Chunk, Delta, FinishReason};

/// Chunks held back while no content has come; a provider that sends more is broken.
const PEEK_CHUNKS_MAX: usize = 256;
/// The longest answer that is put together for a caller who does not stream, in bytes.
const WHOLE_BYTES_MAX: u64 = 10 << 20;

/// No token of the known vocabularies stands for more bytes of text: the longest are runs of blanks.
const TOKEN_BYTES_MAX: u64 = 128;

/// How long a provider that has said everything may take to report its usage.
const FAREWELL: Duration = Duration::from_secs(2);

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
    /// The provider has begun to generate, so it may bill.
    pub began: bool,
    /// Content reached the caller, so nobody else may answer this request any more.
    pub committed: bool,
    /// The provider itself reported usage when it had said everything. What it reports before is
    /// only a beginning: Messages tell the input first and the output last.
    pub usage_reported: bool,
    pub output_bytes: u64,
    pub dispatched: Instant,
    /// From then to the first content.
    pub first_token: Option<Duration>,
    /// The gateway ended the answer, because it had cost what is held for it.
    pub stopped: bool,
    pub end: Result<(), AttemptError>,
}

/// Calls the provider that `paid` holds money for, and forwards what it says. Falling back stays
/// possible until the first content for a caller who streams, and until the end for one who does
/// not: chunks are held back until then.
pub(super) async fn attempt(
    upstream: &dyn Upstream,
    paid: &Reservation,
    request: &ChatRequest,
    limits: &Limits,
    outlet: &mut Outlet<'_>,
) -> Attempted {
    let mut state = Attempted {
        answer: Answer::default(),
        began: false,
        committed: false,
        usage_reported: false,
        output_bytes: 0,
        dispatched: Instant::now(),
        first_token: None,
        stopped: false,
        end: Ok(()),
    };
    let first_by = (Instant::now() + limits.first_token).min(limits.deadline);
    state.end = match timeout_at(first_by, upstream.open(paid, request)).await {
        Err(_) => Err(AttemptError::Timeout("no answer")),
        Ok(Err(error)) => Err(error),
        Ok(Ok(stream)) => forward(stream, paid, request, limits, first_by, outlet, &mut state).await,
    };
    state
}

async fn forward(
    mut stream: ChunkStream,
    paid: &Reservation,
    request: &ChatRequest,
    limits: &Limits,
    first_by: Instant,
    outlet: &mut Outlet<'_>,
    state: &mut Attempted,
) -> Result<(), AttemptError> {
    let mut held_back: Vec<Chunk> = Vec::new();
    loop {
        let by = match (state.began, state.answer.is_complete(request.choices)) {
            (false, _) => first_by,
            (true, false) => (Instant::now() + limits.idle).min(limits.deadline),
            (true, true) => (Instant::now() + limits.idle.min(FAREWELL)).min(limits.deadline),
        };
        let chunk = match timeout_at(by, stream.next()).await {
            Err(_) if state.answer.is_complete(request.choices) => break,
            Err(_) if state.began => return Err(AttemptError::Timeout("silence mid-stream")),
            Err(_) => return Err(AttemptError::Timeout("no first token")),
            Ok(None) => break,
            // Everything was said; only the provider's farewell is missing.
            Ok(Some(Err(_))) if state.answer.is_complete(request.choices) => break,
            Ok(Some(Err(error))) => return Err(error),
            Ok(Some(Ok(chunk))) => chunk,
        };
        state.take(&chunk, request.choices);
        held_back.push(chunk);
        if state.has_spent(paid) && !state.answer.is_complete(request.choices) {
            held_back.push(state.stop(request.choices));
        }
        if !state.began && held_back.len() > PEEK_CHUNKS_MAX {
            return Err(AttemptError::Broken("endless preamble without content".to_owned()));
        }
        if state.began && outlet.streams {
            release(&mut held_back, outlet, state).await;
        } else if state.output_bytes > WHOLE_BYTES_MAX {
            return Err(AttemptError::Broken("the answer is too long to be put together".to_owned()));
        }
        if state.stopped {
            break;
        }
    }
    if !state.answer.is_complete(request.choices) {
        return Err(AttemptError::Broken("the stream ended without a finish_reason".to_owned()));
    }
    release(&mut held_back, outlet, state).await;
    Ok(())
}

/// Lets out what was held back. From the first time on, nobody else may answer.
async fn release(held_back: &mut Vec<Chunk>, outlet: &mut Outlet<'_>, state: &mut Attempted) {
    if !state.committed {
        state.committed = true;
        outlet.open(&state.answer).await;
    }
    for chunk in held_back.drain(..) {
        outlet.chunk(chunk).await;
    }
}

impl Attempted {
    pub(super) fn came(&self) -> Came<'_> {
        Came { answer: &self.answer, first_token: self.first_token, error: self.end.as_ref().err() }
    }

    fn take(&mut self, chunk: &Chunk, choices: u64) {
        self.answer.push(chunk);
        self.usage_reported |= chunk.usage.is_some() && self.answer.is_complete(choices);
        self.output_bytes += chunk.deltas.iter().map(Delta::output_bytes).sum::<u64>();
        if !self.began && chunk.deltas.iter().any(Delta::has_content) {
            self.began = true;
            self.first_token = Some(self.dispatched.elapsed());
        }
    }

    /// The tokens that the provider has certainly counted so far.
    pub(super) fn usage_at_least(&self) -> TokenUsage {
        let seen = self.output_bytes.div_ceil(TOKEN_BYTES_MAX);
        TokenUsage { output: self.answer.usage.output.max(seen), ..self.answer.usage }
    }

    /// Whether the answer has cost what is held for it. That takes a provider which ignores the
    /// output limit it was sent, since the hold was computed with that limit. What is free has no end.
    fn has_spent(&self, paid: &Reservation) -> bool {
        let held = paid.bound().amount;
        let cost = paid.price().cost(&self.usage_at_least());
        held > NanoUsd::ZERO && cost.map_or(true, |cost| cost >= held)
    }

    /// Ends every choice that is still open, as any answer ends that reaches its limit.
    fn stop(&mut self, choices: u64) -> Chunk {
        let open = |choice: &u32| {
            let known = usize::try_from(*choice).ok().and_then(|index| self.answer.choices.get(index));
            known.is_none_or(|known| known.finish.is_none())
        };
        let finish = |choice| Delta { choice, finish: Some(FinishReason::Length), ..Delta::default() };
        let all = 0..u32::try_from(choices).unwrap_or(u32::MAX);
        let chunk = Chunk { deltas: all.filter(open).map(finish).collect(), ..Chunk::default() };
        self.answer.push(&chunk);
        self.stopped = true;
        chunk
    }
}
