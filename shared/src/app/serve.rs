//! One request, from key to settlement. Read this page first.
//!
//! Order: key, exact cache and breaker state side by side; then one admission write; then the
//! provider. At most two sequential store round trips before an exact hit is served, at most three
//! before the first upstream byte.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::Instant;

use super::App;
use super::authenticate::{Caller, authenticate};
use super::error::GatewayError;
use super::lookup::{self, Owner};
use super::random::fresh_id;
use super::reserve::{RateView, admit_hit};
use super::route::{self, Target};
use super::run::{self, Job};
pub use super::run::{Frame, Opened};
use super::settle::settle_in_time;
use crate::domain::cache::CacheKey;
use crate::domain::id::AttemptId;
use crate::domain::key::PresentedKey;
use crate::domain::ledger::{LINE_VERSION, LedgerLine, Outcome, Quality};
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;
use crate::ports::CachedAnswer;
use crate::protocol::canonical::Chunk;
use crate::protocol::dialect::Summary;
use crate::protocol::fields::BadRequest;
use crate::protocol::inbound::Inbound;
use crate::protocol::size::measure;

/// Frames the caller may lag behind before the provider is held back.
const FRAMES: usize = 64;

/// A request as it arrived.
#[derive(Debug)]
pub struct Arrival {
    pub request_id: AttemptId,
    /// The key as presented, without its scheme.
    pub token: Option<String>,
    /// The body as its dialect read it; a bad body is told only to callers with a good key.
    pub inbound: Result<Inbound, GatewayError>,
    /// The caller wants a fresh answer that is not kept.
    pub no_cache: bool,
    /// When the function's time is over.
    pub deadline: Instant,
}

/// A reply that has begun. The frames end when everything, settlement included, is done.
#[derive(Debug)]
pub struct Reply {
    pub request_id: AttemptId,
    pub cache: CacheStatus,
    pub choices: u64,
    pub streams: bool,
    pub include_usage: bool,
    /// Members of the request that the reply repeats.
    pub echo: Map<String, Value>,
    pub created: Timestamp,
    pub timing: Timing,
    pub frames: Receiver<Frame>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheStatus {
    Exact,
    Miss,
    Bypass,
}

/// What the gateway spent before the reply began.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// The key; it is looked up while the cache is.
    pub auth: Duration,
    /// The exact tier.
    pub cache: Duration,
    /// The admission of a hit; a miss is admitted per attempt.
    pub admit: Duration,
}

/// A fresh request id.
pub fn request_id(app: &App) -> AttemptId {
    fresh_id(app.clock.now())
}

/// Serves one request.
///
/// # Errors
/// Every [`GatewayError`] that is known before a provider is called; later ones come as frames.
pub async fn serve(app: &Arc<App>, arrival: Arrival) -> Result<Reply, GatewayError> {
    let now = app.clock.now();
    let first =
        arrival.inbound.as_ref().ok().map(|inbound| route::requested(app, inbound.model.as_deref(), now));
    let mut timing = Timing::default();
    let (caller, early) = look_up(app, &arrival, first.as_ref(), &mut timing, now).await?;
    let inbound = arrival.inbound?;
    let first = first.unwrap_or_else(|| route::requested(app, inbound.model.as_deref(), now))?;
    check(app, &caller, &inbound, &first)?;
    let (key, found) = match early {
        Some(early) => early,
        None => look_again(app, &caller, &inbound, &first, arrival.no_cache, now).await,
    };
    let (sender, frames) = channel(FRAMES);
    let mut reply = Reply {
        request_id: arrival.request_id,
        cache: if key.is_some() { CacheStatus::Miss } else { CacheStatus::Bypass },
        choices: inbound.request.choices,
        streams: inbound.stream.unwrap_or(false),
        include_usage: inbound.include_usage,
        echo: inbound.echo.clone(),
        created: now,
        timing,
        frames,
    };
    if let Some(hit) = found {
        let asked = Instant::now();
        let rates = admit_hit(app, &caller).await?;
        reply.timing.admit = asked.elapsed();
        reply.cache = CacheStatus::Exact;
        let line = hit_line(&caller, arrival.request_id, &inbound, &hit, now);
        tokio::spawn(replay(Arc::clone(app), hit, line, rates, sender));
        return Ok(reply);
    }
    let left = arrival.deadline.saturating_duration_since(Instant::now());
    let job = Job {
        app: Arc::clone(app),
        request_id: arrival.request_id,
        size: measure(&inbound.request),
        streams: reply.streams,
        targets: route::plan(app, &caller, first, &inbound.request, now)?,
        caller,
        request: inbound.request,
        cache_key: key,
        deadline: Instant::now() + left.saturating_sub(app.tuning.closing),
        expires: now + left + app.tuning.closing,
    };
    tokio::spawn(run::run(job, sender));
    Ok(reply)
}

type Lookup = (Option<CacheKey>, Option<CachedAnswer>);

/// Key, exact cache and breaker state at once. The cache is read for the key id that was
/// presented; what it says is used only if the key turns out to be genuine. `None` when the cache
/// key depends on the key's record, which is not known yet.
async fn look_up(
    app: &App,
    arrival: &Arrival,
    first: Option<&Result<Target, GatewayError>>,
    timing: &mut Timing,
    now: Timestamp,
) -> Result<(Caller, Option<Lookup>), GatewayError> {
    let presented =
        arrival.token.as_deref().and_then(PresentedKey::parse).ok_or(GatewayError::Unauthorized)?;
    let inbound = arrival.inbound.as_ref().ok();
    let model = first.and_then(|first| first.as_ref().ok()).map(|target| &target.model);
    let key = match (inbound, model, arrival.no_cache) {
        (Some(inbound), Some(model), false) => {
            let owner = Owner { key_id: presented.id, record: None, user: inbound.request.user.as_deref() };
            lookup::cache_key(app, &owner, model, &inbound.request)
        }
        _ => None,
    };
    let chain = model.into_iter().chain(app.config.routing.chain());
    let (caller, found, ()) = tokio::join!(
        timed(&mut timing.auth, authenticate(app, arrival.token.as_deref())),
        timed(&mut timing.cache, lookup::find(app, key.as_ref(), now)),
        app.breakers.refresh(chain, now),
    );
    let caller = caller?;
    let complete =
        key.is_some() || arrival.no_cache || app.config.cache.scope != crate::config::CacheScope::Tenant;
    Ok((caller, complete.then_some((key, found))))
}

async fn timed<T>(spent: &mut Duration, work: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let done = work.await;
    *spent = started.elapsed();
    done
}

/// The cache lookup for answers that a tenant shares, once the tenant is known.
async fn look_again(
    app: &App,
    caller: &Caller,
    inbound: &Inbound,
    first: &Target,
    no_cache: bool,
    now: Timestamp,
) -> Lookup {
    let record = caller.record();
    let owner = Owner { key_id: &record.id, record: Some(record), user: inbound.request.user.as_deref() };
    let key = if no_cache { None } else { lookup::cache_key(app, &owner, &first.model, &inbound.request) };
    let found = lookup::find(app, key.as_ref(), now).await;
    (key, found)
}

/// What only this gateway and this key forbid.
fn check(app: &App, caller: &Caller, inbound: &Inbound, first: &Target) -> Result<(), GatewayError> {
    caller.may_use(&first.model)?;
    if inbound.stream == Some(true) && !app.config.gateway.stream_enabled {
        return Err(
            BadRequest::new("stream", "streaming is switched off here (gateway.stream_enabled)").into()
        );
    }
    if let (true, Some(name)) = (caller.record().budget.is_some(), inbound.request.unlisted.keys().next()) {
        let text = format!(
            "{name} is not a known field; keys with a budget may send only fields whose cost is known"
        );
        return Err(BadRequest::new(name.as_str(), text).into());
    }
    Ok(())
}

/// Plays a kept answer; the ledger learns of it after the last frame, since it costs nothing.
async fn replay(
    app: Arc<App>,
    hit: CachedAnswer,
    line: LedgerLine,
    rates: RateView,
    frames: tokio::sync::mpsc::Sender<Frame>,
) {
    let opened = Opened {
        served_by: hit.served_by,
        model: hit.answer.model.clone(),
        fingerprint: hit.answer.fingerprint.clone(),
        usage: hit.answer.usage,
        attempts: 0,
        rates,
        admitted_after: Duration::ZERO,
        first_token_after: Duration::ZERO,
    };
    let chunk = Chunk { deltas: hit.answer.deltas(), ..Chunk::default() };
    let summary = Summary { usage: line.usage, cost: NanoUsd::ZERO, completed: line.at };
    for frame in [Frame::Open(opened), Frame::Chunk(chunk), Frame::End(summary)] {
        let _ = frames.send(frame).await;
    }
    settle_in_time(&app, &line).await;
}

fn hit_line(
    caller: &Caller,
    request: AttemptId,
    inbound: &Inbound,
    hit: &CachedAnswer,
    now: Timestamp,
) -> LedgerLine {
    let record = caller.record();
    LedgerLine {
        version: LINE_VERSION,
        id: request,
        request,
        tenant: record.tenant.clone(),
        key_id: record.id.clone(),
        user: inbound.request.user.clone(),
        model: hit.served_by.clone(),
        price: String::new(),
        quality: Quality::Exact,
        amount: NanoUsd::ZERO,
        reserved: NanoUsd::ZERO,
        usage: hit.answer.usage,
        outcome: Outcome::CacheHit,
        items: Vec::new(),
        at: now,
    }
}
