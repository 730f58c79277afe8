//! The vector of a question, where a provider embeds: a call like any other, held for, settled and
//! noted in the ledger, under the request that it is for, and paid by whoever asks.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::App;
use super::breakers::Permit;
use super::charge::charge_embeddings;
use super::embed::call_by;
use super::entry::{entry, fault, give_up, tell_breaker};
use super::observation::{Came, Observation};
use super::reserve::{Purpose, reserve};
use super::route::{self, Target, bounded};
use super::settle::settle_in_time;
use super::spender::Spender;
use crate::config::ProviderEmbedder;
use crate::domain::cache::QuestionVector;
use crate::domain::id::AttemptId;
use crate::domain::ledger::LedgerLine;
use crate::domain::notes::{Notes, Spent, micros};
use crate::domain::reservation::Reservation;
use crate::domain::time::Timestamp;
use crate::ports::{AttemptError, LookupError};
use crate::protocol::answer::Answer;
use crate::protocol::embeddings::{self, EmbedRequest, Embeddings, Input};

/// Who pays for a vector, and for which request.
#[derive(Clone, Debug)]
pub(super) struct Purse {
    pub observed: Observation,
    pub spender: Spender,
    pub request: AttemptId,
    pub user: Option<String>,
    /// When the request must be settled.
    pub expires: Timestamp,
}

/// A vector that is being bought.
pub(super) struct Order {
    vector: Option<oneshot::Receiver<Bought>>,
    task: JoinHandle<()>,
}

type Bought = Result<QuestionVector, LookupError>;

impl Order {
    /// Orders the vector of `text`, to be there by `by`. In a task of its own: a caller who leaves,
    /// or a lookup that is given up, must not keep it from being settled.
    pub(super) fn place(
        app: &Arc<App>,
        embedder: &ProviderEmbedder,
        purse: Purse,
        text: String,
        by: Instant,
    ) -> Order {
        let (tell, vector) = oneshot::channel();
        let request = request(embedder, text, purse.user.clone());
        let job = Job { app: Arc::clone(app), embedder: embedder.clone(), purse, request, by };
        Order { vector: Some(vector), task: tokio::spawn(job.run(tell)) }
    }

    /// # Errors
    /// [`LookupError`]: there is none.
    pub(super) async fn vector(&mut self) -> Bought {
        let lost = || LookupError::Failed("the embedding ended without an answer".to_owned());
        match self.vector.take() {
            Some(vector) => vector.await.map_err(|_| lost())?,
            None => Err(lost()),
        }
    }

    /// Waits for the settlement, so that its hold does not crowd the next one out.
    pub(super) async fn settled(self, most: Duration) {
        let _ = timeout(most, self.task).await;
    }
}

/// Refuses a configured embedder that no lookup could use.
///
/// # Errors
/// Names the field.
pub(super) fn check(app: &App) -> Result<(), String> {
    let Some(embedder) = &app.config.cache.embedder else { return Ok(()) };
    let refuse = |why: &str| Err(format!("cache.embedder.provider: {} {why}", embedder.model));
    match app.prices.price(&embedder.model, app.clock.now()) {
        None => return refuse("has no price"),
        Some(price) if !price.limits.embeds() => return refuse("is no embedding model"),
        Some(_) => {}
    }
    // One whose secret is missing today is a miss today.
    let Some(outbound) = app.upstream.outbound(&embedder.model) else { return Ok(()) };
    let request = request(embedder, String::new(), None);
    match embeddings::check(&request, outbound, embedder.model.model()) {
        Ok(()) => Ok(()),
        Err(unsupported) => refuse(&format!("cannot honour {}: {}", unsupported.param, unsupported.why)),
    }
}

fn request(embedder: &ProviderEmbedder, text: String, user: Option<String>) -> EmbedRequest {
    EmbedRequest {
        inputs: vec![Input::Text(text)],
        dimensions: Some(u64::from(embedder.dimensions)),
        user,
        ..EmbedRequest::default()
    }
}

struct Job {
    app: Arc<App>,
    embedder: ProviderEmbedder,
    purse: Purse,
    request: EmbedRequest,
    by: Instant,
}

impl Job {
    async fn run(self, tell: oneshot::Sender<Bought>) {
        let asked = Instant::now();
        let paid = match self.hold().await {
            Ok(paid) => paid,
            Err(error) => {
                // Who does not wait any more is told nothing.
                let _ = tell.send(Err(error));
                return;
            }
        };
        let (admit, sent) = (asked.elapsed(), Instant::now());
        // Admitted too late, it is not even asked: the money goes back.
        if sent >= self.by {
            let _ = tell.send(Err(LookupError::Timeout));
            let spent = Spent { admit: micros(admit), ..Spent::default() };
            let notes = Notes { for_lookup: true, spent, ..Notes::default() };
            let Job { app, purse: Purse { user, .. }, .. } = self;
            return give_up(&app, &paid, user, notes).await;
        }
        let (paid, call) = self.purse.observed.call(paid);
        let done = call_by(&self.app, &paid, &self.request, self.by).await;
        let spent =
            Spent { admit: micros(admit), upstream: Some(micros(sent.elapsed())), ..Spent::default() };
        let line = self.line(&paid, &done, spent);
        let came = Came { answer: &Answer::default(), first_token: None, error: done.as_ref().err() };
        self.purse.observed.looked_up(&call, &paid, came, &line);
        let _ = tell.send(self.vector(&done));
        // The event of the request does not wait for this.
        let Job { app, embedder, purse, .. } = self;
        drop(purse);
        tokio::join!(settle_in_time(&app, &line), told(&app, &embedder, &done));
    }

    /// The circuit, the price and the money.
    async fn hold(&self) -> Result<Reservation, LookupError> {
        let (app, now) = (&self.app, self.app.clock.now());
        let failed = |why: String| LookupError::Failed(format!("{}: {why}", self.embedder.model));
        let patience = self.by.saturating_duration_since(Instant::now());
        if let Permit::Wait { .. } = app.breakers.permit(&self.embedder.circuit, patience, now).await {
            return Err(failed("circuit open".to_owned()));
        }
        let target: Target = route::requested(app, Some(self.embedder.model.as_str()), now)
            .map_err(|error| failed(format!("{error:?}")))?;
        let size = self.request.size(target.price.limits.context_window);
        let bound = bounded(app, &target, &size).map_err(|error| failed(format!("{error:?}")))?;
        let Purse { spender, request, expires, .. } = &self.purse;
        let purpose = Purpose {
            spender,
            request: *request,
            target: &target,
            bound,
            for_lookup: true,
            expires: *expires,
        };
        let (paid, _) = reserve(app, &purpose).await.map_err(|error| failed(format!("{error:?}")))?;
        Ok(paid)
    }

    fn vector(&self, done: &Result<Embeddings, AttemptError>) -> Bought {
        let failed = |why: String| LookupError::Failed(format!("{}: {why}", self.embedder.model));
        match done {
            Err(AttemptError::Timeout(_)) => Err(LookupError::Timeout),
            Err(error) => Err(failed(format!("{error:?}"))),
            Ok(found) => {
                let dimensions = self.embedder.dimensions as usize;
                let vector =
                    found.vectors.first().and_then(|one| QuestionVector::new(one.clone(), dimensions));
                vector.ok_or_else(|| failed(format!("it gave no vector of {dimensions} components")))
            }
        }
    }

    fn line(&self, paid: &Reservation, done: &Result<Embeddings, AttemptError>, spent: Spent) -> LedgerLine {
        let size = self.request.size(u64::MAX);
        let (billed, outcome) = charge_embeddings(paid, size.input_bytes, done);
        let notes =
            Notes { for_lookup: true, spent, fault: done.as_ref().err().map(fault), ..Notes::default() };
        entry(paid, self.purse.user.clone(), billed, outcome, self.app.clock.now(), notes)
    }
}

/// The breaker's own target: what is late for a lookup is none of a chat's business.
async fn told(app: &App, embedder: &ProviderEmbedder, done: &Result<Embeddings, AttemptError>) {
    let (circuit, now) = (&embedder.circuit, app.clock.now());
    match done {
        Ok(_) => app.breakers.succeeded(circuit, now).await,
        Err(error) => tell_breaker(app, circuit, error, now).await,
    }
}
