//! Proof that money is held for one attempt. A provider call takes it by reference, so a call
//! without a hold does not compile.

use std::sync::Arc;

use super::bound::Bound;
use super::counter::{HoldFacts, Part};
use super::id::AttemptId;
use super::price::Price;
use super::trace::TraceContext;
use crate::config::ModelName;

/// One hold, entered in every counter it names.
#[derive(Debug)]
#[must_use = "a reservation that is not settled stays held until it is swept"]
pub struct Reservation {
    id: AttemptId,
    target: ModelName,
    price: Arc<Price>,
    bound: Bound,
    items: Vec<Part>,
    facts: HoldFacts,
    trace: Option<TraceContext>,
}

impl Reservation {
    /// Only the reserve use case may claim that a hold was entered.
    pub(crate) fn new(
        id: AttemptId,
        target: ModelName,
        price: Arc<Price>,
        bound: Bound,
        items: Vec<Part>,
        facts: HoldFacts,
    ) -> Self {
        Reservation { id, target, price, bound, items, facts, trace: None }
    }

    /// The same, for a call that tells the provider of its trace.
    pub(crate) fn traced(self, trace: Option<TraceContext>) -> Self {
        Reservation { trace, ..self }
    }

    pub fn trace(&self) -> Option<&TraceContext> {
        self.trace.as_ref()
    }

    pub fn id(&self) -> AttemptId {
        self.id
    }

    /// The model that is paid for, and no other.
    pub fn target(&self) -> &ModelName {
        &self.target
    }

    pub fn price(&self) -> &Price {
        &self.price
    }

    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    pub fn items(&self) -> &[Part] {
        &self.items
    }

    pub fn facts(&self) -> &HoldFacts {
        &self.facts
    }
}
