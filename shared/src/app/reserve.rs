//! Admission: one conditional write a scope, which takes rates and money together. All scopes admit
//! or none does.
//!
//! Source: hold protocol, steps 1 to 3, ARCHITECTURE.md. The writes of one id go out side by side,
//! each once; without a reply it is looked for by a consistent read, and what is not there is
//! abandoned under its id.

use futures_util::future::join_all;

use super::App;
use super::authenticate::Caller;
use super::error::GatewayError;
use super::random::fresh_id;
pub use super::refusal::RateView;
use super::refusal::{next_form, rate_view, why_refused};
use super::route::Target;
use super::scope::{Scope, scopes};
use super::settle::settle_in_time;
use super::sweep::{self, Stale};
use crate::domain::bound::Bound;
use crate::domain::counter::{Close, Counter, Hold, HoldFacts, Part, Reserve, WindowForm};
use crate::domain::id::AttemptId;
use crate::domain::money::NanoUsd;
use crate::domain::reservation::Reservation;
use crate::domain::settlement::{Conclusion, Entered, conclude, void};
use crate::domain::time::Timestamp;
use crate::ports::{ReserveReply, StoreError};

/// Rounds before a reserve gives up: each but the last had a definite reason to be repeated under
/// a fresh id.
const TRIES: u32 = 6;

/// What a hold is for.
#[derive(Clone, Copy, Debug)]
pub struct Purpose<'a> {
    pub caller: &'a Caller,
    pub request: AttemptId,
    pub target: &'a Target,
    pub bound: Bound,
    /// When the holder must have settled.
    pub expires: Timestamp,
}

/// RESERVE for one attempt.
///
/// # Errors
/// [`GatewayError::QuotaExceeded`], [`GatewayError::RateLimited`], [`GatewayError::ScopeStopped`],
/// or [`GatewayError::StoreDown`]: budgets fail closed.
pub async fn reserve(app: &App, purpose: &Purpose<'_>) -> Result<(Reservation, RateView), GatewayError> {
    let record = purpose.caller.record();
    let facts = HoldFacts {
        request: purpose.request,
        tenant: record.tenant.clone(),
        key: record.id.clone(),
        model: purpose.target.model.to_string(),
        price: purpose.target.price.id.clone(),
    };
    let money = Money { bound: purpose.bound, facts, expires: purpose.expires };
    let (entry, view) = enter(app, purpose.caller, Some(&money)).await?;
    let target = purpose.target.model.clone();
    let price = purpose.target.price.clone();
    let reservation = Reservation::new(entry.id, target, price, purpose.bound, entry.items, money.facts);
    Ok((reservation, view))
}

/// Admits what spends nothing, such as a cache hit: rates only.
///
/// # Errors
/// As [`reserve`], apart from the quota.
pub async fn admit(app: &App, caller: &Caller) -> Result<RateView, GatewayError> {
    let (_, view) = enter(app, caller, None).await?;
    Ok(view)
}

/// What a hold takes and what an estimated line would need to know.
struct Money {
    bound: Bound,
    facts: HoldFacts,
    expires: Timestamp,
}

/// The id and the counters that one round of writes was entered under.
struct Entry {
    id: AttemptId,
    items: Vec<Part>,
}

/// What is known of a scope's rate window between rounds.
struct Window {
    scope: Scope,
    minute: i64,
    form: WindowForm,
}

impl Window {
    fn write(&self, entry: &Entry, part: &Part, money: Option<&Money>) -> Reserve {
        let tokens = money.map_or(0, |money| i64::try_from(money.bound.tokens).unwrap_or(i64::MAX));
        let hold = money.map(|money| Hold {
            amount: part.amount,
            tokens,
            window: self.minute,
            items: entry.items.clone(),
            expires: money.expires,
            facts: money.facts.clone(),
        });
        Reserve {
            key: part.counter.clone(),
            id: entry.id,
            hold,
            cap: self.scope.cap,
            limits: self.scope.limits,
            window: self.minute,
            tokens,
            form: self.form,
        }
    }
}

async fn enter(app: &App, caller: &Caller, money: Option<&Money>) -> Result<(Entry, RateView), GatewayError> {
    let minute = app.clock.now().minute();
    let window = |scope| Window { scope, minute, form: WindowForm::Same };
    let mut windows: Vec<Window> = scopes(caller).into_iter().map(window).collect();
    let amount = money.map_or(NanoUsd::ZERO, |money| money.bound.amount);
    let mut has_swept = false;
    for _ in 0..TRIES {
        let now = app.clock.now();
        let part = |window: &Window| Part { counter: window.scope.counter(now), amount };
        let entry = Entry { id: fresh_id(now), items: windows.iter().map(part).collect() };
        match round(app, &mut windows, &entry, money, now).await {
            Ok(Some(view)) => return Ok((entry, view)),
            Ok(None) => {}
            Err(refused) if has_swept || refused.stale.is_empty() => return Err(refused.error),
            Err(refused) => {
                has_swept = true;
                if !sweep::free(app.counters.as_ref(), app.ledger.as_ref(), refused.stale, now).await {
                    return Err(refused.error);
                }
            }
        }
    }
    Err(GatewayError::StoreDown(StoreError::Rejected("the counter kept changing".to_owned())))
}

/// Why a round ended the reserve.
struct Refused {
    error: GatewayError,
    /// Holds that are in the way though nobody settled them in time.
    stale: Vec<Stale>,
}

impl From<GatewayError> for Refused {
    fn from(error: GatewayError) -> Self {
        Refused { error, stale: Vec::new() }
    }
}

/// One round of writes under one id. `None` when it may be repeated under a fresh id.
async fn round(
    app: &App,
    windows: &mut [Window],
    entry: &Entry,
    money: Option<&Money>,
    now: Timestamp,
) -> Result<Option<RateView>, Refused> {
    let writes: Vec<Reserve> =
        windows.iter().zip(&entry.items).map(|(window, part)| window.write(entry, part, money)).collect();
    for (window, write) in windows.iter().zip(&writes).filter(|(_, write)| write.form == WindowForm::Create) {
        // The store's condition cannot compare the amount with a cap that is in no item yet.
        why_refused(&window.scope, write, None, now)?;
    }
    let replies = join_all(writes.iter().map(|write| app.counters.reserve(write))).await;
    let mut entered: Vec<Entered> = Vec::new();
    let (mut view, mut failure, mut stale) = (None, None, Vec::new());
    for ((window, write), reply) in windows.iter_mut().zip(&writes).zip(replies) {
        let found = found(app, write, reply).await;
        entered.push(found.entered());
        match found {
            Found::Held(counter) => {
                view.get_or_insert_with(|| rate_view(write, &counter, now));
            }
            Found::Refused(old) => {
                let reason = why_refused(&window.scope, write, old.as_ref(), now).err();
                if let (Some(GatewayError::QuotaExceeded(_)), Some(old)) = (&reason, &old) {
                    stale.extend(sweep::stale(&write.key, old, now));
                }
                failure = failure.or(reason);
                (window.minute, window.form) = next_form(old.as_ref(), now);
            }
            Found::Unheard => {}
            Found::Failed(error) => failure = failure.or(Some(error)),
        }
    }
    match conclude(&entered) {
        Conclusion::Dispatch => return Ok(view),
        Conclusion::GiveBack => give_back(app, &writes, &entered).await,
        Conclusion::Abandon => abandon(app, &writes, now).await,
    }
    failure.map_or(Ok(None), |error| Err(Refused { error, stale }))
}

enum Found {
    Held(Counter),
    Refused(Option<Counter>),
    /// The write may still arrive.
    Unheard,
    Failed(GatewayError),
}

impl Found {
    fn entered(&self) -> Entered {
        match self {
            Found::Held(_) => Entered::Held,
            Found::Refused(_) | Found::Failed(_) => Entered::Refused,
            Found::Unheard => Entered::Unheard,
        }
    }
}

/// No reply: the write may have landed. If a consistent read shows it, it counts.
async fn found(app: &App, write: &Reserve, reply: Result<ReserveReply, StoreError>) -> Found {
    let why = match reply {
        Ok(ReserveReply::Held(counter)) => return Found::Held(counter),
        Ok(ReserveReply::Refused(old)) => return Found::Refused(old),
        Err(StoreError::NoReply(why)) if write.hold.is_some() => why,
        Err(error) => return Found::Failed(GatewayError::StoreDown(error)),
    };
    match app.counters.read(&write.key).await {
        Ok(Some(counter)) if counter.live.contains_key(&write.id) => return Found::Held(counter),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, why, "a reserve without reply could not be looked for"),
    }
    Found::Unheard
}

/// Not every scope admitted, and nothing is on its way: what was held is simply given back.
async fn give_back(app: &App, writes: &[Reserve], entered: &[Entered]) {
    let held = writes.iter().zip(entered).filter(|(_, entered)| **entered == Entered::Held);
    let holds = held.map(|(write, _)| write).filter(|write| write.hold.is_some());
    let closes: Vec<Close> = holds
        .map(|write| Close { key: write.key.clone(), id: write.id, billed: NanoUsd::ZERO, billed_tokens: 0 })
        .collect();
    let closed = join_all(closes.iter().map(|close| app.counters.close(close)));
    match tokio::time::timeout(app.tuning.settle, closed).await {
        Ok(results) if results.iter().all(Result::is_ok) => {}
        _ => tracing::warn!("a hold that another scope refused is left to the sweep"),
    }
}

/// A write is still on its way. Its id is given up for ever, so that it can only become a hold
/// that settles at zero.
async fn abandon(app: &App, writes: &[Reserve], now: Timestamp) {
    let hold = writes.iter().find_map(|write| Some((write.id, write.hold.as_ref()?)));
    if let Some((id, hold)) = hold {
        settle_in_time(app, &void(id, hold, now)).await;
    }
}
