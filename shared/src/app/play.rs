//! Answers that are given again: from the cache, or under an idempotency key.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::Sender;

use super::App;
use super::authenticate::Caller;
use super::idempotent::Ticket;
use super::observation::{Observation, SETTLE};
use super::references::Keeper;
use super::refusal::RateView;
use super::run::{Frame, Opened};
use super::settle::settle_in_time;
use crate::domain::id::AttemptId;
use crate::domain::ledger::{LINE_VERSION, LedgerLine, Outcome, Quality};
use crate::domain::money::NanoUsd;
use crate::domain::notes::Notes;
use crate::domain::time::Timestamp;
use crate::domain::usage::TokenUsage;
use crate::ports::CachedAnswer;
use crate::protocol::answer::Answer;
use crate::protocol::canonical::Chunk;
use crate::protocol::dialect::Summary;

/// An answer with everything that its reply said of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptAnswer {
    /// The request that it first answered.
    pub request: AttemptId,
    pub created: Timestamp,
    pub completed: Timestamp,
    pub from_cache: bool,
    pub answer: Answer,
    pub served_by: String,
    pub usage: TokenUsage,
    pub cost: NanoUsd,
}

/// Where an answer is kept beside the cache.
#[derive(Default)]
pub(super) struct Traces {
    /// For whoever sends the same request again.
    pub ticket: Option<Arc<Ticket>>,
    /// For whoever refers to its items.
    pub keeper: Option<Keeper>,
}

impl Traces {
    /// Both at once, before the last frame.
    pub(super) async fn leave(&self, app: &App, kept: &KeptAnswer) {
        let finish = async {
            if let Some(ticket) = &self.ticket {
                ticket.finish(kept).await;
            }
        };
        let keep = async {
            if let Some(keeper) = &self.keeper {
                keeper.keep(app, &kept.request.to_string(), &kept.answer, kept.created).await;
            }
        };
        tokio::join!(finish, keep);
    }
}

impl KeptAnswer {
    pub(super) fn of_hit(request: AttemptId, created: Timestamp, hit: CachedAnswer) -> Self {
        KeptAnswer {
            request,
            created,
            completed: created,
            from_cache: true,
            usage: hit.answer.usage,
            answer: hit.answer,
            served_by: hit.served_by,
            cost: NanoUsd::ZERO,
        }
    }
}

/// Plays a kept answer. The ledger learns of a hit after the last frame, since it costs nothing; of
/// an answer under an idempotency key it knows already.
pub(super) async fn play(
    app: Arc<App>,
    kept: KeptAnswer,
    line: Option<LedgerLine>,
    traces: Traces,
    rates: RateView,
    frames: Sender<Frame>,
    observed: Observation,
) {
    traces.leave(&app, &kept).await;
    observed.note(|event| (event.usage, event.served_by) = (kept.usage, Some(kept.served_by.clone())));
    let opened = Opened {
        served_by: kept.served_by,
        model: kept.answer.model.clone(),
        fingerprint: kept.answer.fingerprint.clone(),
        usage: kept.usage,
        attempts: 0,
        rates,
        admitted_after: Duration::ZERO,
        first_token_after: Duration::ZERO,
    };
    let chunk = Chunk { deltas: kept.answer.deltas(), ..Chunk::default() };
    let summary = Summary { usage: kept.usage, cost: kept.cost, completed: kept.completed, stopped: false };
    for frame in [Frame::Open(opened), Frame::Chunk(chunk), Frame::End(summary)] {
        let _ = frames.send(frame).await;
    }
    observed.answered();
    if let Some(line) = line {
        observed.step(SETTLE, settle_in_time(&app, &line)).await;
    }
    // Before the frames end: whoever waits for that finds the event told.
    drop(observed);
    drop(frames);
}

/// The ledger line of a cache hit.
pub(super) fn hit_line(
    caller: &Caller,
    request: AttemptId,
    user: Option<String>,
    hit: &CachedAnswer,
    now: Timestamp,
    notes: Notes,
) -> LedgerLine {
    let record = caller.record();
    LedgerLine {
        version: LINE_VERSION,
        id: request,
        request,
        tenant: record.tenant.clone(),
        key_id: record.id.clone(),
        user,
        model: hit.served_by.clone(),
        price: String::new(),
        quality: Quality::Exact,
        amount: NanoUsd::ZERO,
        reserved: NanoUsd::ZERO,
        usage: hit.answer.usage,
        outcome: Outcome::CacheHit,
        items: Vec::new(),
        at: now,
        notes: Some(notes),
    }
}
