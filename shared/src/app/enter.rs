//! Admission: one conditional write a scope, which takes rates and money together. All scopes admit
//! or none does.
//!
//! Source: hold protocol, steps 1 to 3, ARCHITECTURE.md. The writes of one id go out side by side,
//! each once, and again only where the store says that it wrote nothing; without a reply it is looked
//! for by a consistent read, and what is not there is abandoned under its id.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};

use super::App;
use super::best_effort::best_effort;
use super::error::GatewayError;
use super::random::{self, fresh_id};
use super::refusal::{RateView, next_form, rate_view, why_refused};
use super::scope::Scope;
use super::seat::{Full, Money, Seat, SpentUp, gather};
use super::settle::settle_in_time;
use super::sweep;
use crate::domain::counter::{Close, Counter, Part, Reserve, WindowForm};
use crate::domain::id::AttemptId;
use crate::domain::money::NanoUsd;
use crate::domain::settlement::{Conclusion, Entered, conclude, void};
use crate::domain::time::Timestamp;
use crate::ports::{ReserveReply, StoreError};

/// Rounds before a reserve gives up: each but the last had a definite reason to be repeated under
/// a fresh id.
const TRIES: u32 = 12;
/// How often a write that the store rejected goes again, each time after a random wait of up to this.
const REPEATS: u32 = 2;
const REPEAT_WAIT: Duration = Duration::from_millis(100);

/// A late settlement is one transaction of the line and each counter, and DynamoDB takes 100 at once.
const PARTS_MAX: usize = 99;

/// Why nothing was entered.
enum Stop {
    /// A policy that was remembered may be too old: the same is to be entered by what the store has.
    Outdated,
    Refused(GatewayError),
}

impl From<GatewayError> for Stop {
    fn from(error: GatewayError) -> Self {
        Stop::Refused(error)
    }
}

/// The id and the counters that one round of writes was entered under.
pub(super) struct Entry {
    pub id: AttemptId,
    pub items: Vec<Part>,
}

/// Enters all of `scopes`, or none. Where a counter shows that what was remembered of them is too old, they
/// are those that `afresh` reads from the store. Of no scopes nothing is written.
///
/// # Errors
/// Why one of them refuses, or [`GatewayError::StoreDown`]: budgets fail closed.
pub(super) async fn enter(
    app: &App,
    scopes: &[Scope],
    money: Option<&Money>,
    afresh: impl AsyncFnOnce() -> Result<Vec<Scope>, GatewayError>,
) -> Result<(Entry, RateView), GatewayError> {
    match rounds(app, scopes, money).await {
        Ok(entered) => return Ok(entered),
        Err(Stop::Refused(error)) => return Err(error),
        Err(Stop::Outdated) => {}
    }
    let mut fresh = afresh().await?;
    fresh.iter_mut().for_each(|scope| scope.known.is_fresh = true);
    match rounds(app, &fresh, money).await {
        Ok(entered) => Ok(entered),
        Err(Stop::Refused(error)) => Err(error),
        // What was read a moment ago is not told to be old.
        Err(Stop::Outdated) => {
            Err(GatewayError::StoreDown(StoreError::Rejected("the policy kept changing".to_owned())))
        }
    }
}

/// Rounds of writes until one is entered, or one of the scopes refuses for good.
async fn rounds(app: &App, scopes: &[Scope], money: Option<&Money>) -> Result<(Entry, RateView), Stop> {
    if scopes.is_empty() {
        let entry = Entry { id: fresh_id(app, app.clock.now()), items: Vec::new() };
        return Ok((entry, RateView::default()));
    }
    // Of each scope the counters that are asked.
    let mut seats: Vec<Vec<Seat>> = vec![Vec::new(); scopes.len()];
    let mut has_swept = false;
    for _ in 0..TRIES {
        let now = app.clock.now();
        for (seats, scope) in seats.iter_mut().zip(scopes) {
            let period = scope.counter(now).period;
            if seats.first().is_none_or(|seat| seat.part.counter.period != period) {
                *seats = vec![Seat::first(app, scope, money, now)];
            }
        }
        let items: Vec<Part> = seats.iter().flatten().map(|seat| seat.part.clone()).collect();
        if items.len() > PARTS_MAX {
            let why = format!("a hold in more than {PARTS_MAX} counters cannot be settled");
            return Err(GatewayError::StoreDown(StoreError::Rejected(why)).into());
        }
        let entry = Entry { id: fresh_id(app, now), items };
        let full = match round(app, &mut seats, &entry, money, now).await {
            Ok(Some(view)) => return Ok((entry, view)),
            Ok(None) => look_around(app, scopes, &mut seats, money, now).await,
            Err(full) => Err(full),
        };
        match full {
            Ok(()) if seats.iter().flatten().any(|seat| seat.is_outdated) => return Err(Stop::Outdated),
            Ok(()) => {}
            Err(full) if full.is_outdated => return Err(Stop::Outdated),
            Err(full) if has_swept || full.stale.is_empty() => {
                return Err(refuse(app, full, now).await.into());
            }
            Err(mut full) => {
                has_swept = true;
                let stale = std::mem::take(&mut full.stale);
                if !sweep::free(app.counters.as_ref(), app.ledger.as_ref(), stale, now).await {
                    return Err(refuse(app, full, now).await.into());
                }
            }
        }
    }
    Err(GatewayError::StoreDown(StoreError::Rejected("the counter kept changing".to_owned())).into())
}

/// The refusal, once the counters that refuse for the first time say so: the operator is told of it.
async fn refuse(app: &App, full: Full, now: Timestamp) -> GatewayError {
    let note = |spent: SpentUp| async move {
        if let Some(allowance) = &spent.opens_at {
            app.counters.allow(&spent.counter, allowance).await?;
        }
        app.refusals.note_refusal(&spent.counter, now).await
    };
    let noted = async { try_join_all(full.spent.into_iter().map(note)).await.map(|_| ()) };
    best_effort(app.tuning.settle, "the first refusal of a budget is not noted", noted).await;
    full.error
}

/// Gathers room over all counters of each scope whose own choice of them had none.
async fn look_around(
    app: &App,
    scopes: &[Scope],
    seats: &mut [Vec<Seat>],
    money: Option<&Money>,
    now: Timestamp,
) -> Result<(), Full> {
    for (scope, seats) in scopes.iter().zip(seats).filter(|(_, seats)| seats.is_empty()) {
        *seats = gather(app, scope, money, now).await?;
    }
    Ok(())
}

/// One round of writes under one id. `None` when it may be repeated under a fresh id; a sharded
/// scope whose counters must all be asked is then left without seats.
async fn round(
    app: &App,
    seats: &mut [Vec<Seat>],
    entry: &Entry,
    money: Option<&Money>,
    now: Timestamp,
) -> Result<Option<RateView>, Full> {
    let write = |seat: &Seat| seat.write(entry.id, &entry.items, money);
    let writes: Vec<Reserve> = seats.iter().flatten().map(write).collect();
    let created = seats.iter().flatten().zip(&writes).filter(|(_, write)| write.form == WindowForm::Create);
    for (seat, write) in created.filter(|(seat, _)| !seat.is_sharded()) {
        // The store's condition cannot compare the amount with a cap that is in no item yet.
        why_refused(&seat.scope, write, None, now).map_err(|error| {
            let spent = SpentUp::first(&error, &write.key, None, &seat.scope.allowance);
            Full { spent: spent.into_iter().collect(), ..error.into() }
        })?;
    }
    let replies = join_all(writes.iter().map(|write| ask(app, write))).await;
    let mut entered: Vec<Entered> = Vec::new();
    let (mut view, mut failure, mut stale, mut torn) = (None, None, Vec::new(), Vec::new());
    let mut spent = Vec::new();
    for ((seat, write), reply) in seats.iter_mut().flatten().zip(&writes).zip(replies) {
        let found = found(app, write, reply).await;
        entered.push(found.entered());
        match found {
            Found::Held(counter) => {
                view.get_or_insert_with(|| rate_view(write, &counter, now));
            }
            Found::Refused(old) => match why(app, seat, write, old.as_ref(), now).await {
                Some(error) if error.is_lack_of_room() && seat.is_sharded() => {
                    torn.push(seat.part.counter.clone());
                }
                Some(error) => {
                    spent.extend(SpentUp::first(&error, &write.key, old.as_ref(), &seat.scope.allowance));
                    if let Some(old) = old.filter(|_| error.is_lack_of_room()) {
                        stale.extend(sweep::stale(&write.key, &old, now));
                    }
                    failure = failure.or(Some(error));
                }
                None => {}
            },
            Found::Unheard => {}
            Found::Failed(error) => failure = failure.or(Some(error)),
        }
    }
    match conclude(&entered) {
        Conclusion::Dispatch => return Ok(view),
        Conclusion::GiveBack => give_back(app, &writes, &entered, now).await,
        Conclusion::Abandon => abandon(app, &writes, now).await,
    }
    let is_outdated = seats.iter().flatten().any(|seat| seat.is_outdated);
    let is_torn = |seats: &&mut Vec<Seat>| seats.iter().any(|seat| torn.contains(&seat.part.counter));
    seats.iter_mut().filter(is_torn).for_each(Vec::clear);
    match failure {
        Some(error) => Err(Full { error, stale, spent: spent.into(), is_outdated }),
        // Nobody refuses, and the same would be asked anew by what was remembered.
        None if is_outdated => {
            let why = StoreError::Rejected("the policy has changed".to_owned());
            Err(Full { is_outdated, ..GatewayError::StoreDown(why).into() })
        }
        None => Ok(None),
    }
}

/// A store that says no, because it is throttled, has written nothing, so the same write goes again.
async fn ask(app: &App, write: &Reserve) -> Result<ReserveReply, StoreError> {
    for _ in 0..REPEATS {
        match app.counters.reserve(write).await {
            Err(StoreError::Rejected(why)) => {
                tracing::warn!(attempt = %write.id, why, "a reserve goes again")
            }
            reply => return reply,
        }
        tokio::time::sleep(random::up_to(app, REPEAT_WAIT)).await;
    }
    app.counters.reserve(write).await
}

/// Why the counter refused for good, if it did; the seat is made ready to ask again.
async fn why(
    app: &App,
    seat: &mut Seat,
    write: &Reserve,
    old: Option<&Counter>,
    now: Timestamp,
) -> Option<GatewayError> {
    if let Err(error) = seat.follow(app, old).await {
        return Some(error);
    }
    let reason = why_refused(&seat.scope, write, old, now).err();
    (seat.minute, seat.form) = next_form(old, now);
    reason
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

/// Not every scope admitted, and nothing is on its way: what was held is simply given back. Where
/// that fails, a line of zero says that it is to be, for the queue to finish.
async fn give_back(app: &App, writes: &[Reserve], entered: &[Entered], now: Timestamp) {
    let held = writes.iter().zip(entered).filter(|(_, entered)| **entered == Entered::Held);
    let holds = held.map(|(write, _)| write).filter(|write| write.hold.is_some());
    let closes: Vec<Close> = holds
        .map(|write| Close {
            key: write.key.clone(),
            id: write.id,
            billed: NanoUsd::ZERO,
            billed_tokens: 0,
            withdrawn: true,
        })
        .collect();
    let closed = join_all(closes.iter().map(|close| app.counters.close(close)));
    match tokio::time::timeout(app.tuning.settle, closed).await {
        Ok(results) if results.iter().all(Result::is_ok) => {}
        _ => abandon(app, writes, now).await,
    }
}

/// The id is given up for ever, so that a write still on its way can only become a hold that
/// settles at zero.
async fn abandon(app: &App, writes: &[Reserve], now: Timestamp) {
    let hold = writes.iter().find_map(|write| Some((write.id, write.hold.as_ref()?)));
    if let Some((id, hold)) = hold {
        settle_in_time(app, &void(id, hold, now)).await;
    }
}
