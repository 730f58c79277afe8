//! RESERVE: money for one attempt, held in every scope that bounds it before a provider is called.

use super::App;
use super::enter::enter;
use super::error::GatewayError;
pub use super::refusal::RateView;
use super::route::Target;
use super::seat::Money;
use super::spender::Spender;
use crate::domain::bound::Bound;
use crate::domain::counter::HoldFacts;
use crate::domain::id::AttemptId;
use crate::domain::reservation::Reservation;
use crate::domain::time::Timestamp;

/// What a hold is for.
#[derive(Clone, Copy, Debug)]
pub struct Purpose<'a> {
    pub spender: &'a Spender,
    pub request: AttemptId,
    pub target: &'a Target,
    pub bound: Bound,
    /// It is no attempt at an answer: a vector is bought to look for one.
    pub for_lookup: bool,
    /// When the holder must have settled.
    pub expires: Timestamp,
}

/// RESERVE for one attempt.
///
/// # Errors
/// [`GatewayError::QuotaExceeded`], [`GatewayError::RateLimited`], [`GatewayError::ScopeStopped`],
/// or [`GatewayError::StoreDown`]: budgets fail closed.
pub async fn reserve(app: &App, purpose: &Purpose<'_>) -> Result<(Reservation, RateView), GatewayError> {
    let record = purpose.spender.caller().record();
    let facts = HoldFacts {
        request: purpose.request,
        tenant: record.tenant.clone(),
        key: record.id.clone(),
        model: purpose.target.model.to_string(),
        price: purpose.target.price.id.clone(),
        for_lookup: purpose.for_lookup,
    };
    let tokens = i64::try_from(purpose.bound.tokens).unwrap_or(i64::MAX);
    let money = Money { amount: purpose.bound.amount, tokens, facts, expires: purpose.expires };
    let spender = purpose.spender;
    let afresh = async || Ok(spender.afresh(app).await?.scopes().to_vec());
    let (entry, view) = enter(app, spender.scopes(), Some(&money), afresh).await?;
    let target = purpose.target.model.clone();
    let price = purpose.target.price.clone();
    let reservation = Reservation::new(entry.id, target, price, purpose.bound, entry.items, money.facts);
    Ok((reservation, view))
}
