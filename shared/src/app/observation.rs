//! One place that collects the event of a request while it is served.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::App;
use super::authenticate::Caller;
use super::entry::fault;
use super::error::GatewayError;
use crate::domain::event::{Attempt, Model, Operation, RequestEvent, Step, Tracing};
use crate::domain::id::AttemptId;
use crate::domain::ledger::{LedgerLine, Outcome};
use crate::domain::notes::Near;
use crate::domain::reservation::Reservation;
use crate::domain::trace::{Sampler, SpanId, TraceContext, TraceId};
use crate::ports::{AttemptError, Observe, Randomness};
use crate::protocol::answer::Answer;
use crate::protocol::canonical::FinishReason;
use crate::protocol::dialect::Dialect;
use crate::protocol::error::ErrorReport;

/// The steps of a request, as spans name them.
pub(super) const AUTH: &str = "auth";
pub(super) const CACHE: &str = "cache";
pub(super) const SEARCH: &str = "cache.semantic";
pub(super) const RESERVE: &str = "reserve";
pub(super) const SETTLE: &str = "settle";

/// A handle on the event of one request. Whoever works for the request holds one; when the last is
/// gone the event goes to the observer, whatever became of caller and task.
#[derive(Clone)]
pub struct Observation(Arc<Inner>);

struct Inner {
    event: Mutex<RequestEvent>,
    began: Instant,
    observer: Arc<dyn Observe>,
    randomness: Arc<dyn Randomness>,
    caller: Option<TraceContext>,
}

/// A call of a provider that is under way.
pub(super) struct Call {
    from: Duration,
    /// Its span.
    span: Option<SpanId>,
}

/// What came of a call.
pub(super) struct Came<'a> {
    pub answer: &'a Answer,
    pub first_token: Option<Duration>,
    pub error: Option<&'a AttemptError>,
}

/// Nobody is told.
#[derive(Clone, Copy, Debug)]
pub struct Unobserved;

#[async_trait]
impl Observe for Unobserved {
    fn sampler(&self) -> Option<Sampler> {
        None
    }

    fn record(&self, _: RequestEvent) {}

    async fn flush(&self) {}
}

impl Observation {
    /// A request came in; `caller` is the trace that it is part of.
    pub fn begin(
        app: &App,
        request: AttemptId,
        operation: Operation,
        route: &'static str,
        caller: Option<TraceContext>,
    ) -> Self {
        let sampler = app.observer.sampler();
        let trace = sampler.and_then(|sampler| tracing(app.randomness.as_ref(), sampler, caller.clone()));
        let event = RequestEvent { trace, ..RequestEvent::new(request, operation, route, app.clock.now()) };
        Observation(Arc::new(Inner {
            event: Mutex::new(event),
            began: Instant::now(),
            observer: Arc::clone(&app.observer),
            randomness: Arc::clone(&app.randomness),
            caller,
        }))
    }

    /// Adds what became known.
    pub fn note(&self, add: impl FnOnce(&mut RequestEvent)) {
        add(&mut self.0.event());
    }

    /// Whose request it is.
    pub(super) fn authenticated(&self, caller: &Caller) {
        let record = caller.record();
        self.note(|event| {
            event.tenant = Some(record.tenant.clone());
            event.key = Some(record.id.clone());
        });
    }

    /// What came of the search for near questions that began at `from`, where there was one.
    pub(super) fn searched(&self, from: Duration, near: Option<&Near>) {
        let Some(near) = near else { return };
        let to = self.elapsed();
        self.note(|event| {
            event.steps.push(Step { name: SEARCH, from, to });
            event.cache_detail = Some(near.came.clone());
        });
    }

    /// Does a piece of work and notes when.
    pub async fn step<T>(&self, name: &'static str, work: impl Future<Output = T>) -> T {
        let from = self.elapsed();
        let done = work.await;
        let to = self.elapsed();
        self.note(|event| event.steps.push(Step { name, from, to }));
        done
    }

    /// How long the steps of this name took; none where there was none.
    pub(super) fn spent(&self, name: &str) -> Option<Duration> {
        let event = self.0.event();
        let steps = event.steps.iter().filter(|step| step.name == name);
        steps.map(|step| step.to.saturating_sub(step.from)).reduce(|sum, one| sum + one)
    }

    /// Since arrival.
    pub fn elapsed(&self) -> Duration {
        self.0.began.elapsed()
    }

    /// The trace as the next provider is to be told of it, and the span that its call gets. What is
    /// not recorded here is handed on as it came.
    pub(super) fn call(&self, paid: Reservation) -> (Reservation, Call) {
        let from = self.elapsed();
        let Some(tracing) = self.0.event().trace.clone() else {
            return (paid.traced(self.0.caller.clone()), Call { from, span: None });
        };
        let span = span_id(self.0.randomness.as_ref());
        let state = tracing.parent.and_then(|parent| parent.state);
        let told =
            |parent| TraceContext { trace: tracing.trace, parent, is_sampled: tracing.is_sampled, state };
        (paid.traced(span.map(told)), Call { from, span })
    }

    /// The call is over.
    pub(super) fn returned(&self, call: &Call, paid: &Reservation, came: Came<'_>) {
        let attempt = self.attempt(call, paid, came);
        self.note(|event| event.attempts.push(attempt));
    }

    /// The call for the vector of the question is over, and charged.
    pub(super) fn looked_up(&self, call: &Call, paid: &Reservation, came: Came<'_>, line: &LedgerLine) {
        let lookup = Attempt { usage: line.usage, ..self.attempt(call, paid, came) };
        self.note(|event| {
            event.lookups.push(lookup);
            event.cost = event.cost.checked_add(line.amount).unwrap_or(event.cost);
        });
    }

    fn attempt(&self, call: &Call, paid: &Reservation, came: Came<'_>) -> Attempt {
        let finishes = came.answer.choices.iter().filter_map(|choice| choice.finish.as_ref());
        Attempt {
            model: Model::new(paid.target().clone(), &paid.price().id),
            from: call.from,
            to: self.elapsed(),
            first_token: came.first_token,
            answered_as: came.answer.model.clone(),
            finish: finishes.map(FinishReason::name).collect(),
            usage: came.answer.usage,
            fault: came.error.map(fault),
            span: call.span,
        }
    }

    /// What the call that returned last is charged.
    pub(super) fn charged(&self, line: &LedgerLine) {
        self.note(|event| {
            event.usage = line.usage;
            event.cost = event.cost.checked_add(line.amount).unwrap_or(event.cost);
            if let Some(attempt) = event.attempts.last_mut() {
                attempt.usage = line.usage;
            }
            if matches!(line.outcome, Outcome::Completed | Outcome::Stopped) {
                event.served_by = Some(line.model.clone());
            }
        });
    }

    /// A provider is given time before it is asked again.
    pub(super) fn waited(&self, backoff: Duration) {
        self.note(|event| event.backoff += backoff);
    }

    /// It ends in an error after the reply began; the status is the one that it would have had.
    pub(super) fn failed(&self, error: &GatewayError) {
        self.refused(&error.report(Dialect::OpenAi));
    }

    /// The answer is complete.
    pub(super) fn answered(&self) {
        let elapsed = self.elapsed();
        self.note(|event| event.answered = event.answered.or(Some(elapsed)));
    }

    /// It ends in an error.
    pub fn refused(&self, report: &ErrorReport) {
        self.note(|event| (event.status, event.error) = (report.status, Some(report.code)));
        self.answered();
    }

    /// Lets go, and sees to it that what was told so far is out.
    pub async fn over(self) {
        let observer = Arc::clone(&self.0.observer);
        drop(self);
        observer.flush().await;
    }
}

impl std::fmt::Debug for Observation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.event().fmt(f)
    }
}

impl Inner {
    fn event(&self) -> MutexGuard<'_, RequestEvent> {
        self.event.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let mut event = self.event().clone();
        event.whole = self.began.elapsed();
        self.observer.record(event);
    }
}

fn tracing(random: &dyn Randomness, sampler: Sampler, parent: Option<TraceContext>) -> Option<Tracing> {
    let mut bytes = [0; 16];
    let trace = match &parent {
        Some(parent) => parent.trace,
        None => {
            random.fill(&mut bytes);
            TraceId::new(bytes)?
        }
    };
    let is_sampled = sampler.takes(trace, parent.as_ref());
    // A caller who decided against it decided for the whole of the trace.
    let is_settled = sampler.ratio_ppm == 0 || (parent.is_some() && sampler.follows_parent);
    (is_sampled || !is_settled).then_some(Tracing { trace, span: span_id(random)?, parent, is_sampled })
}

fn span_id(random: &dyn Randomness) -> Option<SpanId> {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    SpanId::new(bytes)
}
