//! Random sequences of writes leave a store exactly where the domain's own functions lead.

use std::collections::BTreeMap;

use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use shared::domain::counter::{
    self, Allowance, Bar, Close, Counter, RateLimits, Reserve, ScopeState, WindowForm,
};
use shared::domain::id::AttemptId;
use shared::domain::ledger::{LedgerLine, Quality};
use shared::domain::time::Timestamp;
use shared::ports::ReserveReply;

use super::samples::{CAP, counter_key, estimate, hold, id, line, nano};
use super::stores::{self, Stores};

#[derive(Clone, Debug)]
enum Step {
    Reserve(Box<Reserve>),
    Close(Close),
    Fence(AttemptId),
    Allow(Allowance),
    PutEstimate(Box<LedgerLine>),
    Correct(Box<(LedgerLine, LedgerLine)>),
}

/// What the store should hold.
#[derive(Default)]
struct Model {
    counter: Option<Counter>,
    lines: BTreeMap<AttemptId, LedgerLine>,
}

impl Model {
    fn reserve(&mut self, write: &Reserve) -> ReserveReply {
        match counter::reserve(self.counter.as_ref(), write) {
            None => ReserveReply::Refused(self.counter.clone()),
            Some(next) => {
                self.counter = Some(next.clone());
                ReserveReply::Held(next)
            }
        }
    }

    fn close(&mut self, write: &Close) {
        let next = self.counter.as_ref().and_then(|counter| counter::close(counter, write));
        self.counter = next.or(self.counter.take());
    }

    fn allow(&mut self, to: &Allowance) {
        let next = counter::allow(self.counter.as_ref(), to);
        self.counter = next.or(self.counter.take());
    }

    fn fence(&mut self, id: AttemptId) -> bool {
        match counter::fence(self.counter.as_ref(), id) {
            Some(next) => self.counter = Some(next),
            None => return self.counter.as_ref().is_some_and(|counter| !counter.live.contains_key(&id)),
        }
        true
    }

    fn correct(&mut self, estimated: &LedgerLine, exact: &LedgerLine) -> bool {
        let stands = self
            .lines
            .get(&exact.id)
            .is_some_and(|line| line.quality == Quality::Estimated && line.amount == estimated.amount);
        let counter = self.counter.as_ref().filter(|_| stands);
        let next =
            counter.and_then(|counter| counter::correct(counter, exact.id, estimated.amount, exact.amount));
        let corrected = next.is_some();
        if corrected {
            self.counter = next;
            self.lines.insert(exact.id, exact.clone());
        }
        corrected
    }
}

/// Few ids, windows and amounts, so that the steps meet each other.
fn step() -> impl Strategy<Value = Step> {
    let form = prop_oneof![
        1 => (0_i64..1).prop_map(|_| WindowForm::Create),
        4 => (0_i64..1).prop_map(|_| WindowForm::Same),
        2 => (0_i64..3).prop_map(|from| WindowForm::Roll { from }),
    ];
    let limit = proptest::option::of(0_i64..60);
    let limits = (limit.clone(), limit, proptest::option::of(0_i64..6));
    let version = prop_oneof![6 => 0_i64..1, 1 => 0_i64..3];
    let reserve = (1_u32..16, 0_i64..400, 0_i64..30, 0_i64..3, form, limits, any::<bool>(), version);
    let reserve = reserve.prop_map(|(n, amount, tokens, window, form, limits, is_hit, version)| {
        let (requests, limit, concurrency) = limits;
        let version = Timestamp::from_millis(version);
        Step::Reserve(Box::new(Reserve {
            key: counter_key(),
            id: id(n),
            hold: (!is_hit || amount > 100).then(|| hold(amount, tokens, window)),
            allowance: Allowance { cap: nano(CAP), version, ..Allowance::default() },
            limits: RateLimits { requests, tokens: limit, concurrency },
            window,
            tokens,
            form,
        }))
    });
    let close = (1_u32..16, 0_i64..400, 0_i64..40, any::<bool>());
    let close = close.prop_map(|(n, billed, billed_tokens, withdrawn)| {
        Step::Close(Close { key: counter_key(), id: id(n), billed: nano(billed), billed_tokens, withdrawn })
    });
    let states = [ScopeState::Active, ScopeState::Active, ScopeState::Throttled, ScopeState::Stopped];
    let bar = (0_i64..5, proptest::option::of(0_i64..4)).prop_map(|(pace, until)| Bar { pace, until });
    let allow = (0_i64..3, 0_i64..2_000, 0_usize..4, bar).prop_map(move |(version, cap, state, bar)| {
        let version = Timestamp::from_millis(version);
        Step::Allow(Allowance { cap: nano(cap), state: states[state], bar, version })
    });
    let fence = (1_u32..8).prop_map(|n| Step::Fence(id(n)));
    let put = (1_u32..8).prop_map(|n| Step::PutEstimate(Box::new(estimate(n))));
    let correct =
        (1_u32..8, 0_i64..300).prop_map(|(n, exact)| Step::Correct(Box::new((estimate(n), line(n, exact)))));
    prop_oneof![12 => reserve, 6 => close, 1 => fence, 2 => allow, 2 => put, 4 => correct]
}

async fn walk(stores: &Stores, steps: &[Step]) {
    let mut model = Model::default();
    for (n, step) in steps.iter().enumerate() {
        match step {
            Step::Reserve(write) => {
                let reply = stores.counters.reserve(write).await;
                assert_eq!(reply, Ok(model.reserve(write)), "step {n} of {steps:#?}");
            }
            Step::Close(write) => {
                stores.counters.close(write).await.expect("closed, or closed before");
                model.close(write);
            }
            Step::Allow(to) => {
                stores.counters.allow(&counter_key(), to).await.expect("allowed");
                model.allow(to);
            }
            Step::Fence(id) => {
                let fenced = stores.counters.fence(&counter_key(), *id).await;
                assert_eq!(fenced, Ok(model.fence(*id)), "step {n} of {steps:#?}");
            }
            Step::PutEstimate(line) => {
                stores.write_ledger.put(line).await.expect("put");
                model.lines.entry(line.id).or_insert_with(|| LedgerLine::clone(line));
            }
            Step::Correct(lines) => {
                let (estimated, exact) = lines.as_ref();
                let corrected = stores.write_ledger.correct(estimated, exact).await;
                assert_eq!(corrected, Ok(model.correct(estimated, exact)), "step {n} of {steps:#?}");
            }
        }
        let standing = stores.counters.read(&counter_key()).await;
        assert_eq!(standing, Ok(model.counter.clone()), "after step {n} of {steps:#?}");
    }
}

/// Sequences of steps, the same ones in every run.
fn sequences(count: usize) -> Vec<Vec<Step>> {
    let mut runner = TestRunner::deterministic();
    let strategy = proptest::collection::vec(step(), 1..60);
    let trees = (0..count).map(|_| strategy.new_tree(&mut runner).expect("a sequence"));
    trees.map(|tree| tree.current()).collect()
}

macro_rules! walks {
    ($($store:ident: $count:literal),+ $(,)?) => {
        $(
            mod $store {
                #[tokio::test]
                async fn random_writes_leave_the_counters_that_the_domain_leads_to() {
                    for steps in super::sequences($count) {
                        let Some(stores) = super::stores::$store().await else { return };
                        super::walk(&stores, &steps).await;
                    }
                }
            }
        )+
    };
}

walks!(memory: 300, embedded: 60, embedded_file: 4, dynamodb_local: 12);
