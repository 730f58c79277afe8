//! One request, from key to settlement. Read this page first.
//!
//! Order: key, exact cache, its marks and breaker state side by side; then near questions, where the
//! exact cache has nothing; then one admission write; then the provider. At most two sequential store
//! round trips before an exact hit is served, at most four before the first upstream byte, and the
//! search of near questions for `cache.lookup_budget_ms` at most. Where a provider embeds the question,
//! its money is held first and settled after, which adds a round trip of each.

use std::sync::Arc;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::Instant;

use super::App;
use super::admit::admit_free;
use super::arrival::Arrival;
use super::authenticate::{Caller, Presented, authenticate};
use super::error::GatewayError;
use super::idempotent::{self, Entitled, Ticket};
use super::keep::Keep;
use super::lookup::{self, Asked, Standing};
use super::near::{NearMatch, near};
use super::observation::{AUTH, CACHE, Observation, RESERVE};
use super::play::{KeptAnswer, Traces, hit_line, play};
use super::question::Purse;
use super::random::fresh_id;
use super::references::Keeper;
pub use super::reply::{Reply, Timing};
use super::route::{self, Target};
use super::run::{self, Job};
pub use super::run::{Frame, Opened};
use super::spender::{OnBehalf, Spender};
use crate::domain::event::Model;
use crate::domain::id::AttemptId;
pub use crate::domain::notes::{CacheStatus, Near};
use crate::domain::time::Timestamp;
use crate::ports::CachedAnswer;
use crate::protocol::fields::BadRequest;
use crate::protocol::inbound::Inbound;
use crate::protocol::size::measure;

/// Frames the caller may lag behind before the provider is held back.
const FRAMES: usize = 64;

/// A fresh request id.
pub fn request_id(app: &App) -> AttemptId {
    fresh_id(app, app.clock.now())
}

/// Serves one request.
///
/// # Errors
/// Every [`GatewayError`] that is known before a provider is called; later ones come as frames.
pub async fn serve(app: &Arc<App>, mut arrival: Arrival<Inbound>) -> Result<Reply, GatewayError> {
    let now = app.clock.now();
    let (deadline, expires) = arrival.times(app, now);
    let token = arrival.token.take();
    let presented = Presented::read(token.as_deref(), &app.pepper, now)?;
    if let (Some(user), Ok(inbound)) = (presented.user(), &mut arrival.inbound) {
        inbound.request.user = Some(user.to_owned());
    }
    let first =
        arrival.inbound.as_ref().ok().map(|inbound| route::requested(app, inbound.model.as_deref(), now));
    let (caller, early) = look_up(app, &arrival, &presented, first.as_ref(), now).await?;
    let observed = arrival.observed;
    observed.authenticated(&caller);
    let mut inbound = arrival.inbound?;
    inbound.session = inbound.session.or(arrival.session);
    let first = first.unwrap_or_else(|| route::requested(app, inbound.model.as_deref(), now))?;
    check(app, &caller, &inbound, &first)?;
    observed.note(|event| {
        event.requested = Some(Model::new(first.model.clone(), &first.price.id));
        event.streams = inbound.stream.unwrap_or(false);
    });
    let ((standing, found), spender) = match early {
        Some(early) => (early, None),
        None => {
            let asked = Asked {
                model: &first.model,
                request: &inbound.request,
                told: &arrival.told,
                no_cache: arrival.no_cache,
            };
            let looked = observed.step(CACHE, look_again(app, &caller, &asked, now));
            let (looked, spender) = tokio::join!(looked, spender(app, &caller, &inbound));
            (looked, Some(spender?))
        }
    };
    let key = arrival.idempotency.as_ref();
    let request_id = arrival.request_id;
    let keeper = inbound.may_refer.then(|| Keeper::of(&presented));
    let ready = Ready {
        caller,
        spender,
        inbound,
        first,
        standing,
        found,
        request_id,
        keeper,
        deadline,
        expires,
        now,
        observed,
    };
    match idempotent::claim::<KeptAnswer>(app, &ready.caller, key, request_id, now, expires).await? {
        Entitled::Replay(kept) => replay(app, ready, *kept).await,
        Entitled::Work(None) => ready.answer(app, None).await,
        Entitled::Work(Some(ticket)) => {
            let ticket = Arc::new(ticket);
            let answered = ready.answer(app, Some(Arc::clone(&ticket))).await;
            if answered.is_err() {
                ticket.release().await;
            }
            answered
        }
    }
}

/// A request that may be served: known caller, read body, priced model, looked-up cache.
struct Ready {
    caller: Caller,
    /// Known already where it was looked up beside the cache.
    spender: Option<Spender>,
    inbound: Inbound,
    first: Target,
    standing: Standing,
    found: Option<CachedAnswer>,
    request_id: AttemptId,
    /// Who may refer to items of the answer.
    keeper: Option<Keeper>,
    /// Until when a provider may be asked.
    deadline: Instant,
    /// When whoever serves it must be done with it.
    expires: Timestamp,
    now: Timestamp,
    observed: Observation,
}

impl Ready {
    /// From the cache, or by a provider in a task of its own.
    async fn answer(mut self, app: &Arc<App>, ticket: Option<Arc<Ticket>>) -> Result<Reply, GatewayError> {
        let (sender, frames) = channel(FRAMES);
        let mut reply = self.reply(frames);
        if let Some(hit) = self.found.take() {
            reply.cache = CacheStatus::Exact;
            return self.again(app, hit, ticket, reply, sender).await;
        }
        let from = self.observed.elapsed();
        let (near, spender) = self.near(app).await;
        self.observed.searched(from, near.note.as_ref());
        reply.timing = Timing::of(&self.observed);
        reply.near = near.note;
        if let Some(hit) = near.entry {
            reply.cache = CacheStatus::Semantic;
            return self.again(app, hit, ticket, reply, sender).await;
        }
        let spender = spender?;
        spender.may_ask(self.inbound.request.unlisted.keys().next())?;
        let asked = self.first.model.clone();
        let plan = route::plan(app, &self.caller, self.first, &self.inbound.request, self.now)?;
        let NearMatch { candidate, vector, .. } = near;
        let job = Job {
            app: Arc::clone(app),
            request_id: self.request_id,
            size: measure(&self.inbound.request),
            streams: reply.streams,
            before: reply.notes_of(&plan),
            asked,
            targets: plan.targets,
            spender,
            request: self.inbound.request,
            keep: self.standing.into_place().map(|place| Keep { place, candidate, vector }),
            traces: Traces { ticket, keeper: self.keeper },
            observed: self.observed,
            created: self.now,
            deadline: self.deadline,
            expires: self.expires,
        };
        tokio::spawn(run::run(job, sender));
        Ok(reply)
    }

    /// A kept answer: admitted by its rates, played, and metered at nothing.
    async fn again(
        self,
        app: &Arc<App>,
        hit: CachedAnswer,
        ticket: Option<Arc<Ticket>>,
        mut reply: Reply,
        sender: Sender<Frame>,
    ) -> Result<Reply, GatewayError> {
        self.observed.note(|event| event.cache = Some(reply.cache));
        let admitted = admit_free(app, &self.caller, self.known_or_looked_up(app));
        let rates = self.observed.step(RESERVE, admitted).await?;
        reply.timing = Timing::of(&self.observed);
        reply.from_cache = true;
        let user = self.inbound.request.user;
        let line = hit_line(&self.caller, self.request_id, user, &hit, self.now, reply.notes());
        let kept = KeptAnswer::of_hit(self.request_id, self.now, hit);
        let traces = Traces { ticket, keeper: self.keeper };
        tokio::spawn(play(Arc::clone(app), kept, Some(line), traces, rates, sender, self.observed));
        Ok(reply)
    }

    /// Near questions, and who pays, side by side. Where a provider embeds, who pays comes first.
    async fn near(&self, app: &Arc<App>) -> (NearMatch, Result<Spender, GatewayError>) {
        let tenant = &self.caller.record().tenant;
        let search = |purse| near(app, self.standing.place(), tenant, (self.now, self.deadline), purse);
        if app.config.cache.embedder.is_none() {
            return tokio::join!(search(None), self.known_or_looked_up(app));
        }
        let spender = match self.known_or_looked_up(app).await.and_then(|spender| self.may_pay(app, spender))
        {
            Ok(spender) => spender,
            Err(refused) => return (NearMatch::default(), Err(refused)),
        };
        let purse = Purse {
            observed: self.observed.clone(),
            spender: spender.clone(),
            request: self.request_id,
            user: self.inbound.request.user.clone(),
            expires: self.expires,
        };
        (search(Some(purse)).await, Ok(spender))
    }

    /// Nothing is bought for a request that no model would be asked.
    fn may_pay(&self, app: &App, spender: Spender) -> Result<Spender, GatewayError> {
        spender.may_ask(self.inbound.request.unlisted.keys().next())?;
        route::honours_or_refuse(app, &self.first, &self.inbound.request)?;
        Ok(spender)
    }

    async fn known_or_looked_up(&self, app: &App) -> Result<Spender, GatewayError> {
        match &self.spender {
            Some(spender) => Ok(spender.clone()),
            None => spender(app, &self.caller, &self.inbound).await,
        }
    }

    fn reply(&self, frames: Receiver<Frame>) -> Reply {
        let cache = if self.standing.place().is_some() { CacheStatus::Miss } else { CacheStatus::Bypass };
        let bypass = self.standing.bypass().map(str::to_owned);
        self.observed.note(|event| (event.cache, event.cache_detail) = (Some(cache), bypass));
        Reply {
            request_id: self.request_id,
            cache,
            bypass: self.standing.bypass(),
            near: None,
            answers: self.request_id,
            from_cache: false,
            choices: self.inbound.request.choices,
            streams: self.inbound.stream.unwrap_or(false),
            include_usage: self.inbound.include_usage,
            echo: self.inbound.echo.clone(),
            created: self.now,
            timing: Timing::of(&self.observed),
            frames,
        }
    }
}

/// The answer of an earlier request under the same idempotency key, word for word.
async fn replay(app: &Arc<App>, ready: Ready, kept: KeptAnswer) -> Result<Reply, GatewayError> {
    let (sender, frames) = channel(FRAMES);
    let admitted = admit_free(app, &ready.caller, ready.known_or_looked_up(app));
    let rates = ready.observed.step(RESERVE, admitted).await?;
    let reply = Reply {
        cache: CacheStatus::Bypass,
        bypass: Some("replay"),
        answers: kept.request,
        from_cache: kept.from_cache,
        created: kept.created,
        ..ready.reply(frames)
    };
    tokio::spawn(play(Arc::clone(app), kept, None, Traces::default(), rates, sender, ready.observed));
    Ok(reply)
}

/// Everything that bounds what the request may spend.
async fn spender(app: &App, caller: &Caller, inbound: &Inbound) -> Result<Spender, GatewayError> {
    let on_behalf = OnBehalf { user: inbound.request.user.as_deref(), session: inbound.session.as_deref() };
    Spender::of(app, caller.clone(), on_behalf).await
}

type Lookup = (Standing, Option<CachedAnswer>);

/// Key, exact cache, its marks and breaker state at once. The cache is read for the key id that was
/// presented; what it says is used only if the key turns out to be genuine. `None` when the place in
/// the cache depends on the key's record, which is not known yet.
async fn look_up(
    app: &App,
    arrival: &Arrival<Inbound>,
    presented: &Presented<'_>,
    first: Option<&Result<Target, GatewayError>>,
    now: Timestamp,
) -> Result<(Caller, Option<Lookup>), GatewayError> {
    let inbound = arrival.inbound.as_ref().ok();
    let model = first.and_then(|first| first.as_ref().ok()).map(|target| &target.model);
    let standing = inbound.zip(model).and_then(|(inbound, model)| {
        let (request, told) = (&inbound.request, &arrival.told);
        let asked = Asked { model, request, told, no_cache: arrival.no_cache };
        lookup::early_standing(&app.config.cache, presented.key_id(), None, &asked)
    });
    let place = standing.as_ref().and_then(Standing::place);
    let embedder = app.config.cache.embedder.as_ref().map(|embedder| &embedder.circuit);
    let chain = model.into_iter().chain(app.config.routing.chain()).chain(embedder);
    let (caller, found, ()) = tokio::join!(
        arrival.observed.step(AUTH, authenticate(app, presented)),
        arrival.observed.step(CACHE, lookup::find(app, place)),
        app.breakers.refresh(chain, now),
    );
    let caller = caller?;
    let tenant = &caller.record().tenant;
    let found = found.and_then(|found| found.for_tenant(&app.config.cache, tenant, now));
    Ok((caller, standing.map(|standing| (standing, found))))
}

/// The cache lookup for answers that a tenant shares, once the tenant is known.
async fn look_again(app: &App, caller: &Caller, asked: &Asked<'_>, now: Timestamp) -> Lookup {
    let record = caller.record();
    let standing = lookup::standing(&app.config.cache, record, asked);
    let found = lookup::find(app, standing.place()).await;
    (standing, found.and_then(|found| found.for_tenant(&app.config.cache, &record.tenant, now)))
}

/// What only this gateway and this key forbid.
fn check(app: &App, caller: &Caller, inbound: &Inbound, first: &Target) -> Result<(), GatewayError> {
    caller.may_use(&first.model)?;
    if first.price.limits.embeds() {
        let text = format!("{} is an embedding model; send texts to /v1/embeddings", first.model);
        return Err(BadRequest::new("model", text).into());
    }
    if inbound.stream == Some(true) && !app.config.gateway.stream_enabled {
        return Err(
            BadRequest::new("stream", "streaming is switched off here (gateway.stream_enabled)").into()
        );
    }
    Ok(())
}
