//! `POST /v1/embeddings`: the same money path as a chat, for vectors. There is no fallback to other
//! models, since vectors of two models cannot be compared, and no cache.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::App;
use super::admit::admit_free;
use super::arrival::Arrival;
use super::authenticate::{Caller, Presented, authenticate};
use super::breakers::Permit;
use super::charge::{Verdict, charge_embeddings, rejected};
use super::entry::{entry, fault, give_up, tell_breaker};
use super::error::GatewayError;
use super::idempotent::{self, Entitled};
use super::observation::{AUTH, Came, Observation, RESERVE, SETTLE};
use super::random;
use super::refusal::RateView;
use super::reserve::{Purpose, reserve};
use super::route::{self, Target, bounded, first_token_timeout};
use super::run::unbounded;
use super::settle::settle_in_time;
use super::spender::{OnBehalf, Spender};
use crate::domain::bound::RequestSize;
use crate::domain::event::Model;
use crate::domain::id::AttemptId;
use crate::domain::ledger::LedgerLine;
use crate::domain::money::NanoUsd;
use crate::domain::notes::{Notes, Spent, micros};
use crate::domain::reservation::Reservation;
use crate::domain::time::Timestamp;
use crate::ports::AttemptError;
use crate::protocol::answer::Answer;
use crate::protocol::embeddings::openai::{Inbound, render};
use crate::protocol::embeddings::{self, EmbedRequest, Embeddings};
use crate::protocol::fields::BadRequest;

/// Attempts in all; the second only where the first was not billed.
const ATTEMPTS_MAX: u32 = 2;

/// The vectors, and what the headers say of them.
#[derive(Clone, Debug)]
pub struct Reply {
    pub kept: Kept,
    pub is_replay: bool,
    pub attempts: u32,
    pub rates: RateView,
    /// The key's look-up.
    pub auth: Duration,
    pub admit: Duration,
    pub upstream: Duration,
}

/// What is kept under an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The reply as it went out.
    pub body: String,
    /// `provider/model`.
    pub served_by: String,
    pub cost: NanoUsd,
}

/// Embeds.
///
/// # Errors
/// Every [`GatewayError`] of a chat.
pub async fn embed(app: &Arc<App>, arrival: Arrival<Inbound>) -> Result<Reply, GatewayError> {
    let now = app.clock.now();
    let (deadline, expires) = arrival.times(app, now);
    let presented = Presented::read(arrival.token.as_deref(), &app.pepper, now)?;
    let observed = arrival.observed;
    let caller = observed.step(AUTH, authenticate(app, &presented)).await?;
    observed.authenticated(&caller);
    let auth = observed.spent(AUTH).unwrap_or_default();
    let mut inbound = arrival.inbound?;
    if let Some(user) = presented.user() {
        inbound.request.user = Some(user.to_owned());
    }
    let target = target(app, &caller, &inbound, now)?;
    observed.note(|event| event.requested = Some(Model::new(target.model.clone(), &target.price.id)));
    let on_behalf = OnBehalf { user: inbound.request.user.as_deref(), session: arrival.session.as_deref() };
    let spender = Spender::of(app, caller, on_behalf).await?;
    spender.may_ask(inbound.request.unlisted.keys().next())?;
    let caller = spender.caller();
    let (key, request_id) = (arrival.idempotency.as_ref(), arrival.request_id);
    let ticket = match idempotent::claim::<Kept>(app, caller, key, request_id, now, expires).await? {
        Entitled::Work(ticket) => ticket,
        Entitled::Replay(kept) => return replay(app, &spender, *kept, auth, &observed).await,
    };
    let size = inbound.request.size(target.price.limits.context_window);
    let request = inbound.request;
    let (app, auth_micros) = (Arc::clone(app), micros(auth));
    let job = Job {
        app,
        spender,
        request_id,
        request,
        size,
        target,
        deadline,
        expires,
        auth: auth_micros,
        observed,
    };
    // In a task of its own: a caller who leaves must not keep the attempt from being settled.
    let done = tokio::spawn(async move {
        let done = job.run().await;
        match (&ticket, &done) {
            (Some(ticket), Ok(reply)) => ticket.finish(&reply.kept).await,
            (Some(ticket), Err(_)) => ticket.release().await,
            (None, _) => {}
        }
        done
    });
    let lost =
        |_| GatewayError::BrokenStream { detail: "the embedding task ended without an answer".to_owned() };
    done.await.map_err(lost)?.map(|reply| Reply { auth, ..reply })
}

/// The model, if this caller may embed with it and it can honour the request.
fn target(app: &App, caller: &Caller, inbound: &Inbound, now: Timestamp) -> Result<Target, GatewayError> {
    let target = route::requested(app, Some(&inbound.model), now)?;
    caller.may_use(&target.model)?;
    if !target.price.limits.embeds() {
        return Err(BadRequest::new("model", format!("{} is no embedding model", target.model)).into());
    }
    let outbound =
        app.upstream.outbound(&target.model).ok_or_else(|| route::unconfigured(target.model.as_str()))?;
    embeddings::check(&inbound.request, outbound, target.model.model())
        .map_err(|unsupported| route::cannot_honour(&target.model, unsupported))?;
    Ok(target)
}

async fn replay(
    app: &App,
    spender: &Spender,
    kept: Kept,
    auth: Duration,
    observed: &Observation,
) -> Result<Reply, GatewayError> {
    let asked = Instant::now();
    let admitted = admit_free(app, spender.caller(), async { Ok(spender.clone()) });
    let rates = observed.step(RESERVE, admitted).await?;
    observed.note(|event| event.served_by = Some(kept.served_by.clone()));
    let (admit, upstream) = (asked.elapsed(), Duration::ZERO);
    Ok(Reply { kept, is_replay: true, attempts: 0, rates, auth, admit, upstream })
}

struct Job {
    app: Arc<App>,
    spender: Spender,
    request_id: AttemptId,
    request: EmbedRequest,
    size: RequestSize,
    target: Target,
    deadline: Instant,
    expires: Timestamp,
    /// What the key's look-up took, in microseconds.
    auth: u64,
    observed: Observation,
}

impl Job {
    async fn run(&self) -> Result<Reply, GatewayError> {
        let mut failures: Vec<String> = Vec::new();
        let mut retry_after = 1;
        let mut billed = false;
        for attempts in 1..=ATTEMPTS_MAX {
            let error = match self.attempt(attempts).await? {
                Ok(reply) => return Ok(reply),
                Err(refused) => refused,
            };
            failures.push(format!("{}: {error:?}", self.target.model));
            if let Some(refusal) = rejected(&error) {
                return Err(refusal);
            }
            let verdict = Verdict::of(&error);
            billed |= verdict.may_be_billed;
            retry_after = verdict.asked_to_wait.as_secs().max(1);
            let now = self.app.clock.now();
            let may_repeat = verdict.worth_a_retry && !billed && attempts < ATTEMPTS_MAX;
            if !may_repeat || !self.app.breakers.take_retry(&self.target.model, now).await {
                break;
            }
            let wait = random::backoff(&self.app);
            if Instant::now() + wait >= self.deadline {
                break;
            }
            self.observed.waited(wait);
            tokio::time::sleep(wait).await;
        }
        let detail = failures.join("; ");
        tracing::warn!(request = %self.request_id, detail, "no provider could embed");
        Err(GatewayError::Degraded { retry_after, billed, detail })
    }

    /// One attempt: what the provider said, or why nothing more may be tried.
    async fn attempt(&self, attempts: u32) -> Result<Result<Reply, AttemptError>, GatewayError> {
        let app = &self.app;
        // What cannot be answered in time is not sent: it would be held and billed for nothing.
        if Instant::now() >= self.deadline {
            return Err(out_of_time());
        }
        let limit = first_token_timeout(app, &self.target.model);
        let now = app.clock.now();
        if let Permit::Wait { until } = app.breakers.permit(&self.target.model, limit, now).await {
            let detail = format!("{}: circuit open", self.target.model);
            return Err(GatewayError::Degraded {
                retry_after: until.since(now).as_secs() + 1,
                billed: false,
                detail,
            });
        }
        let bound =
            bounded(app, &self.target, &self.size).map_err(|error| unbounded(error, &self.target.model))?;
        let (asked, target, expires) = (Instant::now(), &self.target, self.expires);
        let purpose = Purpose {
            spender: &self.spender,
            request: self.request_id,
            target,
            bound,
            for_lookup: false,
            expires,
        };
        let (paid, rates) = self.observed.step(RESERVE, reserve(app, &purpose)).await?;
        let (paid, call) = self.observed.call(paid);
        let (admit, sent) = (asked.elapsed(), Instant::now());
        if sent >= self.deadline {
            let notes = Notes { attempt: attempts, ..Notes::default() };
            give_up(app, &paid, self.request.user.clone(), notes).await;
            return Err(out_of_time());
        }
        let by = (sent + limit).min(self.deadline);
        let done = call_by(app, &paid, &self.request, by).await;
        let upstream = sent.elapsed();
        let named =
            Answer { model: done.as_ref().ok().and_then(|found| found.model.clone()), ..Answer::default() };
        let came = Came { answer: &named, first_token: None, error: done.as_ref().err() };
        self.observed.returned(&call, &paid, came);
        let spent = Spent {
            auth: self.auth,
            admit: micros(admit),
            upstream: Some(micros(upstream)),
            ..Spent::default()
        };
        let notes =
            Notes { attempt: attempts, spent, fault: done.as_ref().err().map(fault), ..Notes::default() };
        let now = app.clock.now();
        let (billed, outcome) = charge_embeddings(&paid, self.size.input_bytes, &done);
        let line = entry(&paid, self.request.user.clone(), billed, outcome, now, notes);
        self.observed.charged(&line);
        let settled = self.observed.step(SETTLE, settle_in_time(app, &line));
        match done {
            Ok(found) => {
                tokio::join!(settled, app.breakers.succeeded(paid.target(), now));
                let (kept, auth) = (self.kept(found, line), Duration::ZERO);
                Ok(Ok(Reply { kept, is_replay: false, attempts, rates, auth, admit, upstream }))
            }
            Err(error) => {
                tracing::warn!(attempt = %line.id, model = %paid.target(), ?error, "attempt failed");
                tokio::join!(settled, tell_breaker(app, paid.target(), &error, now));
                Ok(Err(error))
            }
        }
    }

    fn kept(&self, found: Embeddings, line: LedgerLine) -> Kept {
        let model = found.model.as_deref().unwrap_or(line.model.as_str());
        let body = render(&found.vectors, model, line.usage.input(), self.request.base64);
        Kept { body, served_by: line.model, cost: line.amount }
    }
}

fn out_of_time() -> GatewayError {
    GatewayError::Degraded { retry_after: 1, billed: false, detail: "out of time".to_owned() }
}

/// Embeds with what `paid` holds, and is done by `by`.
pub(super) async fn call_by(
    app: &App,
    paid: &Reservation,
    request: &EmbedRequest,
    by: Instant,
) -> Result<Embeddings, AttemptError> {
    let done = timeout_at(by, app.embedder.embed(paid, request)).await;
    done.unwrap_or(Err(AttemptError::Timeout("no embeddings")))
}
