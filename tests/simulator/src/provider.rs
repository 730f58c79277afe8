//! The providers: a scripted one behind every model. What it bills is the truth.

use std::sync::Arc;

use async_trait::async_trait;
use shared::config::ModelName;
use shared::domain::counter::{CounterKey, Part};
use shared::domain::id::AttemptId;
use shared::domain::money::NanoUsd;
use shared::domain::price::Price;
use shared::domain::reservation::Reservation;
use shared::ports::{AttemptError, ChunkStream, CountTokens, EmbedText, Upstream};
use shared::protocol::canonical::ChatRequest;
use shared::protocol::embeddings::{EmbedRequest, Embeddings};
use shared::protocol::outbound::{Flavour, Outbound};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::books::{Bill, scopes_of};
use super::script::{Act, Demand, stream};
use super::wire::Wire;
use super::world::{World, lock};

pub(crate) struct Provider {
    pub(crate) wire: Wire,
}

/// What a call says, as it travels.
#[derive(Clone, Debug)]
struct Call {
    id: AttemptId,
    request: AttemptId,
    model: ModelName,
    price: String,
    /// What the caller was held for.
    amount: NanoUsd,
    items: Vec<Part>,
    demand: Demand,
}

impl Call {
    fn new(paid: &Reservation, demand: Demand) -> Self {
        Call {
            id: paid.id(),
            request: paid.facts().request,
            model: paid.target().clone(),
            price: paid.facts().price.clone(),
            amount: paid.bound().amount,
            items: paid.items().to_vec(),
            demand,
        }
    }

    /// The call is there: whatever its sender does now, it is billed.
    fn arrive(self, world: &World) -> Act {
        let Some(price) = world.tariff.in_force(&self.model, &self.price, world.now()) else {
            world.books.violated("no free ride", || format!("{} was called at no valid price", self.model));
            return Act::Silence;
        };
        let act = Act::draw(world, &self.demand, &price.limits);
        self.check_scopes(world);
        let held = self.check_held(world);
        let usage = act.billed();
        let cost = |usage| price.cost(&usage).expect("the cost of an attempt fits 64 bits");
        let (amount, told) = (cost(usage), cost(act.told()));
        let price = Price::clone(price);
        let (id, request, items) = (self.id, self.request, self.items);
        world.billed(Bill { id, request, price, usage, amount, held, told, items });
        act
    }

    /// All scopes of the caller, in the period of the attempt, and no other.
    fn check_scopes(&self, world: &World) {
        let caller = lock(&world.asked).get(&self.request).map(|caller| &world.callers[*caller]);
        let expected = caller.map(|caller| {
            let scopes = caller.scopes.iter();
            scopes.map(|scope| CounterKey::new(scope.kind, &scope.id, scope.period, self.id.at())).collect()
        });
        let scopes = scopes_of(&self.items);
        let is_whole = scopes.iter().all(|scope| {
            let parts = self.items.iter().filter(|part| part.counter.shares_scope(scope));
            parts.map(|part| part.amount.nano()).sum::<i64>() == self.amount.nano()
        });
        let is_met = is_whole && expected == Some(scopes);
        world.books.holds_that(is_met, "admission", || {
            format!("{} was dispatched with {:?}, its scopes are {expected:?}", self.id, self.items)
        });
    }

    /// A call goes out only when every counter holds for it: it is live there, or was swept at its
    /// full amount by somebody whose clock is ahead.
    fn check_held(&self, world: &World) -> NanoUsd {
        let line = world.stores.memory.with_books(|_, lines| lines.get(&self.id).map(|line| line.amount));
        let held = world.books.held(self.id, &self.items).or(line);
        world.books.holds_that(held.is_some(), "admission", || {
            format!("{} was dispatched and is not held everywhere", self.id)
        });
        held.unwrap_or_default()
    }
}

impl Provider {
    /// What has been sent arrives.
    async fn call(&self, call: Call) -> Act {
        self.wire.pause().await;
        let world = Arc::clone(&self.wire.world);
        let (tell, heard) = oneshot::channel();
        tokio::spawn(async move {
            sleep(world.dice.millis(0..=30)).await;
            // Nobody may listen any more.
            let _ = tell.send(call.arrive(&world));
        });
        self.wire.pause().await;
        let act = heard.await;
        self.wire.pause().await;
        act.unwrap_or(Act::Silence)
    }
}

#[async_trait]
impl Upstream for Provider {
    async fn open(&self, paid: &Reservation, request: &ChatRequest) -> Result<ChunkStream, AttemptError> {
        if self.wire.world.dice.chance(self.wire.world.faults().provider / 10) {
            return Err(AttemptError::Connect("refused".to_owned()));
        }
        let act = self.call(Call::new(paid, Demand::chat(paid, request))).await;
        stream(act, self.wire.clone()).await
    }

    fn outbound(&self, _: &ModelName) -> Option<Outbound> {
        Some(Outbound::OpenAi(Flavour::Compatible))
    }
}

#[async_trait]
impl EmbedText for Provider {
    async fn embed(&self, paid: &Reservation, request: &EmbedRequest) -> Result<Embeddings, AttemptError> {
        let act = self.call(Call::new(paid, Demand::embedding(request))).await;
        act.vectors(request.inputs.len()).await
    }
}

#[async_trait]
impl CountTokens for Provider {
    async fn count(&self, _: &ModelName, _: &ChatRequest) -> Result<u64, AttemptError> {
        Err(AttemptError::Connect("no provider here counts".to_owned()))
    }
}
