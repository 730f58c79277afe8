//! The money path of a miss: reserve, call, settle, for each target in turn.
//!
//! It runs in a task of its own, so a caller who leaves changes nothing: the provider is read to
//! its end and the hold is settled at what it really cost.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, timeout_at};

use super::App;
use super::attempt::{Attempted, Limits, attempt};
use super::breakers::Permit;
use super::charge::{Verdict, charge, rejected};
use super::entry::{entry, fault, give_up, tell_breaker};
use super::error::GatewayError;
use super::keep::{Keep, note_served};
use super::observation::{Observation, RESERVE, SETTLE};
use super::play::{KeptAnswer, Traces};
use super::random;
use super::refusal::RateView;
use super::reserve::{Purpose, reserve};
use super::route::{Target, bounded, first_token_timeout};
use super::settle::settle_in_time;
use super::spender::Spender;
use crate::config::ModelName;
use crate::domain::bound::{BoundError, RequestSize};
use crate::domain::id::AttemptId;
use crate::domain::ledger::{LedgerLine, Outcome};
use crate::domain::notes::{Notes, Skipped, Spent, Why, micros};
use crate::domain::reservation::Reservation;
use crate::domain::time::Timestamp;
use crate::domain::usage::TokenUsage;
use crate::ports::AttemptError;
use crate::protocol::answer::Answer;
use crate::protocol::canonical::{ChatRequest, Chunk};
use crate::protocol::dialect::Summary;

/// A provider that asks for longer quiet than this is not waited for.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(2);

/// Everything the task needs to finish without its caller.
pub(super) struct Job {
    pub app: Arc<App>,
    pub spender: Spender,
    pub request_id: AttemptId,
    pub request: ChatRequest,
    pub size: RequestSize,
    /// The caller streams, so the first content commits to its provider.
    pub streams: bool,
    /// The model that was asked for, which need not be among the targets.
    pub asked: ModelName,
    pub targets: Vec<Target>,
    /// Where the answer is kept, if that model gives it.
    pub keep: Option<Keep>,
    pub traces: Traces,
    pub observed: Observation,
    /// What is to be noted of everything before the first attempt.
    pub before: Notes,
    pub created: Timestamp,
    /// The function's own deadline, less the time an honest end takes.
    pub deadline: Instant,
    pub expires: Timestamp,
}

/// What the caller's side is told, in order: `Open`, chunks, then `End` or `Failed`.
#[derive(Debug)]
pub enum Frame {
    Open(Opened),
    Chunk(Chunk),
    /// The answer is complete and settled.
    End(Summary),
    Failed(GatewayError),
}

/// Known once the first content is in.
#[derive(Clone, Debug)]
pub struct Opened {
    pub served_by: String,
    /// The model's own name for itself.
    pub model: Option<String>,
    pub fingerprint: Option<String>,
    /// As far as it is known when the reply begins.
    pub usage: TokenUsage,
    pub attempts: u32,
    pub rates: RateView,
    pub admitted_after: Duration,
    pub first_token_after: Duration,
}

/// The caller's end of the channel. Nothing here fails: a caller who left is not an error.
pub(super) struct Outlet<'a> {
    frames: &'a Sender<Frame>,
    deadline: Instant,
    opened: Opened,
    dispatched: Instant,
    pub(super) streams: bool,
}

impl Outlet<'_> {
    pub(super) async fn open(&mut self, so_far: &Answer) {
        let model = so_far.model.clone();
        let fingerprint = so_far.fingerprint.clone();
        let opened = Opened {
            model,
            fingerprint,
            usage: so_far.usage,
            first_token_after: self.dispatched.elapsed(),
            ..self.opened.clone()
        };
        send(self.frames, self.deadline, Frame::Open(opened)).await;
    }

    pub(super) async fn chunk(&self, chunk: Chunk) {
        send(self.frames, self.deadline, Frame::Chunk(chunk)).await;
    }
}

/// A slow reader holds the provider back, but not beyond the deadline.
async fn send(frames: &Sender<Frame>, deadline: Instant, frame: Frame) {
    let _ = timeout_at(deadline, frames.send(frame)).await;
}

/// Tries the targets in order until one answers, then retries one if the fleet can afford it.
pub(super) async fn run(job: Job, frames: Sender<Frame>) {
    let last = job.answer(&frames).await;
    if let (Frame::Failed(_), Some(ticket)) = (&last, &job.traces.ticket) {
        ticket.release().await;
    }
    if let Frame::Failed(error) = &last {
        job.observed.failed(error);
    }
    job.observed.answered();
    send(&frames, job.deadline, last).await;
    // Before the frames end: whoever waits for that finds the event told.
    drop(job);
    drop(frames);
}

/// What happened so far.
struct Course {
    attempts: u32,
    billed: bool,
    failures: Vec<String>,
    /// The first target worth a second try, and the wait its provider asked for.
    retry: Option<(ModelName, Duration)>,
    /// When the first of the refused targets may be called again.
    earliest: Option<Timestamp>,
    /// For the next line.
    notes: Notes,
}

impl Course {
    fn skip(&mut self, target: &Target, why: Why) {
        self.notes.skipped.push(Skipped { model: target.model.to_string(), why });
    }
}

enum Step {
    Next,
    Over(Box<Frame>),
}

impl Step {
    fn failed(error: GatewayError) -> Self {
        Step::Over(Box::new(Frame::Failed(error)))
    }
}

impl Job {
    /// Everything but the last frame.
    async fn answer(&self, frames: &Sender<Frame>) -> Frame {
        let notes = self.before.clone();
        let mut course =
            Course { attempts: 0, billed: false, failures: Vec::new(), retry: None, earliest: None, notes };
        for target in &self.targets {
            // What cannot be answered in time is not sent: it would be held and billed for nothing.
            if Instant::now() >= self.deadline {
                course.failures.push("out of time".to_owned());
                break;
            }
            if let Step::Over(last) = self.try_target(target, &mut course, frames).await {
                return *last;
            }
        }
        if let Some(index) = self.retry_after_backoff(&course).await
            && let Step::Over(last) = self.try_target(&self.targets[index], &mut course, frames).await
        {
            return *last;
        }
        let now = self.app.clock.now();
        let retry_after = course.earliest.map_or(1, |at| at.since(now).as_secs() + 1);
        let detail = course.failures.join("; ");
        tracing::warn!(request = %self.request_id, detail, "no provider could answer");
        Frame::Failed(GatewayError::Degraded { retry_after, billed: course.billed, detail })
    }

    async fn try_target(&self, target: &Target, course: &mut Course, frames: &Sender<Frame>) -> Step {
        let app = &self.app;
        let limits = Limits {
            first_token: first_token_timeout(app, &target.model),
            idle: app.tuning.idle,
            deadline: self.deadline,
        };
        let permit = app.breakers.permit(&target.model, limits.first_token, app.clock.now());
        if let Permit::Wait { until } = permit.await {
            course.earliest = Some(course.earliest.map_or(until, |earliest| earliest.min(until)));
            course.failures.push(format!("{}: circuit open", target.model));
            course.skip(target, Why::CircuitOpen);
            return Step::Next;
        }
        let started = Instant::now();
        let (paid, rates) = match self.hold(target, course).await {
            Ok(held) => held,
            Err(step) => return step,
        };
        course.attempts += 1;
        course.notes.spent.admit = micros(started.elapsed());
        let opened = Opened {
            served_by: target.model.to_string(),
            model: None,
            fingerprint: None,
            usage: TokenUsage::default(),
            attempts: course.attempts,
            rates,
            admitted_after: started.elapsed(),
            first_token_after: Duration::ZERO,
        };
        let mut outlet = Outlet {
            frames,
            deadline: self.deadline,
            opened,
            dispatched: Instant::now(),
            streams: self.streams,
        };
        let (paid, call) = self.observed.call(paid);
        let done = attempt(app.upstream.as_ref(), &paid, &self.request, &limits, &mut outlet).await;
        self.observed.returned(&call, &paid, done.came());
        match done.end.clone() {
            Ok(()) => Step::Over(Box::new(self.complete(paid, done, course).await)),
            Err(error) => self.fail(paid, done, error, course).await,
        }
    }

    /// Holds the dearest that the target may cost, in time to ask it.
    async fn hold(&self, target: &Target, course: &mut Course) -> Result<(Reservation, RateView), Step> {
        let app = &self.app;
        let bound = match bounded(app, target, &self.size) {
            Ok(bound) => bound,
            Err(BoundError::ImagesUnbounded) if target.model != self.asked => {
                course.skip(target, Why::Unbounded);
                return Err(Step::Next);
            }
            Err(error) => return Err(Step::failed(unbounded(error, &target.model))),
        };
        let purpose = Purpose {
            spender: &self.spender,
            request: self.request_id,
            target,
            bound,
            for_lookup: false,
            expires: self.expires,
        };
        let held = self.observed.step(RESERVE, reserve(app, &purpose)).await.map_err(Step::failed)?;
        if Instant::now() < self.deadline {
            return Ok(held);
        }
        course.failures.push("out of time".to_owned());
        give_up(app, &held.0, self.request.user.clone(), course.notes.clone()).await;
        Err(Step::Next)
    }

    /// Settles, tells the breaker and keeps the answer side by side, all before the last frame.
    async fn complete(&self, paid: Reservation, done: Attempted, course: &mut Course) -> Frame {
        let now = self.app.clock.now();
        let outcome = if done.stopped { Outcome::Stopped } else { Outcome::Completed };
        let stopped = done.stopped;
        let line = self.line(&paid, &done, outcome, course);
        let kept = self.kept(done.answer, &line);
        let keep = async {
            if let (Some(keep), true) = (&self.keep, *paid.target() == self.asked) {
                keep.keep(&self.app, &line.tenant, &kept.answer, paid.target(), self.created).await;
            }
        };
        let leave = self.traces.leave(&self.app, &kept);
        let told = self.app.breakers.succeeded(paid.target(), now);
        let noted = note_served(&self.app, paid.target(), &kept.answer, self.created);
        let settled = self.observed.step(SETTLE, settle_in_time(&self.app, &line));
        tokio::join!(settled, keep, leave, told, noted);
        Frame::End(Summary { usage: line.usage, cost: line.amount, completed: now, stopped })
    }

    fn kept(&self, answer: Answer, line: &LedgerLine) -> KeptAnswer {
        KeptAnswer {
            request: self.request_id,
            created: self.created,
            completed: line.at,
            from_cache: false,
            answer,
            served_by: line.model.clone(),
            usage: line.usage,
            cost: line.amount,
        }
    }

    /// Settles what a failed attempt may have cost, tells the breaker, and says whether another
    /// target may be tried.
    async fn fail(
        &self,
        paid: Reservation,
        done: Attempted,
        error: AttemptError,
        course: &mut Course,
    ) -> Step {
        let now = self.app.clock.now();
        let verdict = Verdict::of(&error);
        let outcome =
            if verdict.may_be_billed || done.began { Outcome::FailedBilled } else { Outcome::FailedUnbilled };
        let line = self.line(&paid, &done, outcome, course);
        tracing::warn!(attempt = %line.id, model = %paid.target(), ?error, committed = done.committed, "attempt failed");
        let settled = self.observed.step(SETTLE, settle_in_time(&self.app, &line));
        tokio::join!(settled, tell_breaker(&self.app, paid.target(), &error, now));
        course.billed |= outcome == Outcome::FailedBilled;
        course.failures.push(format!("{}: {error:?}", paid.target()));
        if done.committed {
            return Step::failed(GatewayError::BrokenStream { detail: course.failures.join("; ") });
        }
        // A fallback may refuse what the model that was asked for would have taken.
        if let (true, Some(refusal)) = (*paid.target() == self.asked, rejected(&error)) {
            return Step::failed(refusal);
        }
        if verdict.worth_a_retry && course.retry.is_none() {
            course.retry = Some((paid.target().clone(), verdict.asked_to_wait));
        }
        Step::Next
    }

    /// Waits a random time below the backoff, or what the provider asked for, and returns the
    /// target to try again. Nothing is retried when its fleet-wide budget is spent.
    async fn retry_after_backoff(&self, course: &Course) -> Option<usize> {
        let (model, asked) = course.retry.as_ref()?;
        let index = self.targets.iter().position(|target| target.model == *model)?;
        let wait = random::backoff(&self.app).max(*asked);
        if wait > RETRY_WAIT_MAX || Instant::now() + wait >= self.deadline || course.billed {
            return None;
        }
        if !self.app.breakers.take_retry(model, self.app.clock.now()).await {
            return None;
        }
        self.observed.waited(wait);
        tokio::time::sleep(wait).await;
        Some(index)
    }

    fn line(
        &self,
        paid: &Reservation,
        done: &Attempted,
        outcome: Outcome,
        course: &mut Course,
    ) -> LedgerLine {
        let billed = charge(paid, done, outcome, &self.size);
        let next = Notes { cache: self.before.cache, spent: self.before.spent, ..Notes::default() };
        let notes = std::mem::replace(&mut course.notes, next);
        let spent = Spent {
            first_token: done.first_token.map(micros),
            upstream: Some(micros(done.dispatched.elapsed())),
            ..notes.spent
        };
        let fault = done.end.as_ref().err().map(fault);
        let notes = Notes { attempt: course.attempts, fault, spent, ..notes };
        let line = entry(paid, self.request.user.clone(), billed, outcome, self.app.clock.now(), notes);
        self.observed.charged(&line);
        line
    }
}

/// A request that no hold can bound.
pub(super) fn unbounded(error: BoundError, model: &ModelName) -> GatewayError {
    let bad = |param: &str, message: String| {
        GatewayError::BadRequest(crate::protocol::fields::BadRequest::new(param, message))
    };
    match error {
        BoundError::OverLimit { estimate, limit } => GatewayError::RequestCostLimit { estimate, limit },
        BoundError::ImagesUnbounded => bad("messages", format!("{model} has no bounded price for images")),
        BoundError::Overflow => {
            bad("max_tokens", "the cost of this request does not fit 64 bits of nano-dollars".to_owned())
        }
    }
}
