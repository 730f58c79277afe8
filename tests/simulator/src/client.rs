//! The callers: they ask, read, leave, and look at what they get.

use std::sync::Arc;

use shared::app::arrival::{Arrival, Told};
use shared::app::embed::embed;
use shared::app::error::{GatewayError, Quota, RateUnit};
use shared::app::serve::{CacheStatus, Frame, Reply, request_id, serve};
use shared::config::CacheScope;
use shared::domain::id::AttemptId;
use shared::domain::money::NanoUsd;
use tokio::time::{Instant, sleep, timeout};

use super::books::Bill;
use super::callers::Caller;
use super::requests::{Ask, Body};
use super::tally::Tally;
use super::world::{Instance, World, lock};

/// How a request ended for its caller.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    Served,
    /// Before a provider was called.
    Refused(GatewayError),
    /// Afterwards.
    Failed,
    Left,
    CutOff,
}

/// Sends one request and follows it to its end.
pub(crate) async fn ask(world: &Arc<World>, ask: Ask) -> End {
    sleep(ask.after).await;
    let instance = world.instance(ask.instance);
    let id = request_id(&instance.app);
    lock(&world.asked).insert(id, ask.caller);
    world.tally().requests += 1;
    world.tell(|| format!("request {id} through instance {}", ask.instance));
    let leaves = ask.leaves;
    let served = async {
        tokio::select! {
            biased;
            () = instance.process.died() => End::CutOff,
            end = send(world, &instance, ask, id) => end,
        }
    };
    let end = match leaves {
        Some(after) => timeout(after, served).await.unwrap_or(End::Left),
        None => served.await,
    };
    world.tell(|| format!("request {id}: {end:?}"));
    count(&mut world.tally(), &end);
    end
}

fn count(tally: &mut Tally, end: &End) {
    match end {
        End::Served => tally.served += 1,
        End::Failed => tally.failed += 1,
        End::Left => tally.left += 1,
        End::CutOff => tally.cut_off += 1,
        End::Refused(GatewayError::QuotaExceeded(_)) => tally.over_budget += 1,
        End::Refused(GatewayError::RateLimited { .. }) => tally.over_rate += 1,
        End::Refused(GatewayError::StoreDown(_)) => tally.unavailable += 1,
        End::Refused(GatewayError::ScopeStopped { .. }) => tally.stopped += 1,
        End::Refused(_) => tally.refused += 1,
    }
}

async fn send(world: &Arc<World>, instance: &Instance, ask: Ask, request_id: AttemptId) -> End {
    let caller = &world.callers[ask.caller];
    match ask.body.clone() {
        Body::Chat(inbound) => {
            match serve(&instance.app, arrival(caller, &ask, request_id, *inbound)).await {
                Ok(reply) => Reader::new(world, caller, &ask).read(reply).await,
                Err(refused) => refuse(world, refused),
            }
        }
        Body::Embed(inbound) => {
            match embed(&instance.app, arrival(caller, &ask, request_id, inbound)).await {
                Ok(reply) => {
                    world.tally().replayed += u64::from(reply.is_replay);
                    End::Served
                }
                Err(GatewayError::Degraded { .. }) => End::Failed,
                Err(refused) => refuse(world, refused),
            }
        }
    }
}

fn arrival<I>(caller: &Caller, ask: &Ask, request_id: AttemptId, inbound: I) -> Arrival<I> {
    Arrival {
        request_id,
        token: Some(caller.presents.clone()),
        inbound: Ok(inbound),
        session: caller.session.clone(),
        idempotency: ask.idempotency.clone(),
        no_cache: ask.no_cache,
        told: Told::default(),
        deadline: Instant::now() + ask.lifetime,
    }
}

/// A budget or a rate that refuses states numbers that say so.
fn refuse(world: &World, refused: GatewayError) -> End {
    if let GatewayError::QuotaExceeded(quota) = &refused {
        let Quota { cap, spent, held, needed, .. } = &**quota;
        let room = cap.nano().saturating_sub(spent.nano()).saturating_sub(held.nano());
        world.books.holds_that(room < needed.nano(), "admission", || format!("refused with room: {quota:?}"));
    }
    if let GatewayError::RateLimited { unit, rates } = &refused {
        let is_reached = match unit {
            RateUnit::Requests => rates.limits.requests.is_some_and(|limit| rates.requests_used >= limit),
            RateUnit::Tokens => rates.limits.tokens.is_some(),
            RateUnit::Concurrency => rates.limits.concurrency.is_some(),
        };
        world.tally().crowded += u64::from(*unit == RateUnit::Concurrency);
        world.books.holds_that(is_reached, "no false refusal", || {
            format!("refused by {unit:?}, which nothing limits so: {rates:?}")
        });
    }
    if let GatewayError::StoreDown(error) = &refused {
        let is_excused = !world.plan.faults.are_outside() || world.plan.skew > 0;
        world.books.holds_that(is_excused, "no false refusal", || format!("every store worked: {error}"));
    }
    End::Refused(refused)
}

/// Reads one reply and judges its frames.
struct Reader<'a> {
    world: &'a Arc<World>,
    caller: &'a Caller,
    ask: &'a Ask,
    opened: bool,
    /// The mark on what was read: one for the whole answer.
    mark: Option<String>,
}

impl<'a> Reader<'a> {
    fn new(world: &'a Arc<World>, caller: &'a Caller, ask: &'a Ask) -> Self {
        Reader { world, caller, ask, opened: false, mark: None }
    }

    /// Honest end: content comes after the opening, one end comes after it, and nothing after that.
    async fn read(mut self, mut reply: Reply) -> End {
        let end = loop {
            sleep(self.ask.reads).await;
            match reply.frames.recv().await {
                None => break None,
                Some(Frame::Open(_)) => {
                    self.honest(!self.opened, "it opened twice");
                    self.opened = true;
                }
                Some(Frame::Chunk(chunk)) => {
                    self.honest(self.opened, "content came before the opening");
                    let texts = chunk.deltas.iter().filter_map(|delta| delta.content.as_deref());
                    texts.for_each(|text| self.judge(text));
                }
                Some(Frame::End(summary)) => {
                    self.honest(self.opened, "it ended before it opened");
                    self.check_answer(&reply, summary.cost);
                    break Some(End::Served);
                }
                Some(Frame::Failed(GatewayError::Degraded { .. } | GatewayError::BrokenStream { .. })) => {
                    break Some(End::Failed);
                }
                Some(Frame::Failed(refused)) => {
                    self.honest(!self.opened, "it was refused after it opened");
                    break Some(refuse(self.world, refused));
                }
            }
        };
        // A reader so slow that the deadline passed may miss the end, as a caller who left does.
        let is_told = end.is_some() || !self.ask.reads.is_zero();
        self.honest(is_told, "it broke off without an end");
        let after = if end.is_some() { reply.frames.recv().await } else { None };
        self.honest(after.is_none(), "something came after the end");
        self.tally(&reply, end.as_ref());
        end.unwrap_or(End::Failed)
    }

    /// An answer is of the request that it says it is of, and told to cost what was billed or more.
    fn check_answer(&self, reply: &Reply, cost: NanoUsd) {
        let attempt = self.mark.as_deref().and_then(|mark| mark.split('|').next()?.parse().ok());
        let bill = attempt.and_then(|attempt| self.world.books.bill_of(attempt));
        self.honest(bill.is_some(), "nobody was paid for an answer");
        let Some(bill) = bill.filter(|_| !reply.from_cache) else { return };
        let is_its = bill.request == reply.answers;
        let is_told = cost >= bill.amount || self.world.plan.overruns;
        self.world.books.holds_that(is_its && is_told, "attempt completeness", || {
            let Bill { id, request, amount, .. } = &bill;
            format!("{id} of {request} cost {amount}; it was told as {cost} for {}", reply.answers)
        });
    }

    fn tally(&self, reply: &Reply, end: Option<&End>) {
        if end == Some(&End::Served) {
            let mut tally = self.world.tally();
            tally.from_cache += u64::from(reply.cache == CacheStatus::Exact);
            tally.replayed += u64::from(reply.is_replay());
        }
    }

    fn honest(&self, is_true: bool, what: &str) {
        self.world.books.holds_that(is_true, "honest end", || what.to_owned());
    }

    /// All of an answer is of one attempt, and it was made for this caller.
    fn judge(&mut self, text: &str) {
        for mark in text.split('[').skip(1).filter_map(|rest| rest.split(']').next()) {
            let first = self.mark.get_or_insert_with(|| mark.to_owned()).clone();
            self.honest(first == mark, "content of two attempts was spliced");
            let mut parts = mark.split('|').skip(1);
            let (key, user) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let is_theirs = self.may_read(key, user);
            self.world.books.holds_that(is_theirs, "isolation", || {
                format!("{} of {} read {mark}", self.caller.key_id, self.caller.tenant)
            });
        }
    }

    fn may_read(&self, key: &str, user: &str) -> bool {
        let tenant_of = |key: &str| self.world.callers.iter().find(|caller| caller.key_id == key);
        let named = match &self.ask.body {
            Body::Chat(inbound) => inbound.request.user.as_deref(),
            Body::Embed(_) => None,
        };
        let mine = self.caller.user.as_deref().or(named).unwrap_or_default();
        match self.world.plan.config.cache.scope {
            CacheScope::Key => key == self.caller.key_id,
            CacheScope::User => key == self.caller.key_id && (user == mine || self.ask.idempotency.is_some()),
            CacheScope::Tenant => tenant_of(key).is_some_and(|other| other.tenant == self.caller.tenant),
        }
    }
}
