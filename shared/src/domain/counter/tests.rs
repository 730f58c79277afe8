use super::*;
use crate::domain::time::Period;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn id(n: u128) -> AttemptId {
    AttemptId::new(NOW, n)
}

fn key() -> CounterKey {
    CounterKey::new(ScopeKind::Key, "k1", Period::Month, NOW)
}

fn hold(amount: i64) -> Hold {
    let facts = HoldFacts {
        request: id(0),
        tenant: "t".into(),
        key: "k1".into(),
        model: "m".into(),
        price: "p".into(),
        for_lookup: false,
    };
    Hold {
        amount: NanoUsd::from_nano(amount),
        tokens: 10,
        window: NOW.minute(),
        items: vec![Part { counter: key(), amount: NanoUsd::from_nano(amount) }],
        expires: NOW,
        facts,
    }
}

fn write(n: u128, amount: i64, form: WindowForm) -> Reserve {
    Reserve {
        key: key(),
        id: id(n),
        hold: Some(hold(amount)),
        allowance: Allowance { cap: NanoUsd::from_nano(100), ..Allowance::default() },
        limits: RateLimits { requests: Some(3), tokens: Some(30), concurrency: None },
        window: NOW.minute(),
        tokens: 10,
        form,
    }
}

fn created() -> Counter {
    reserve(None, &write(1, 60, WindowForm::Create)).expect("a new counter has room")
}

#[test]
fn a_reserve_takes_from_what_remains_and_enters_the_hold() {
    let counter = created();
    assert_eq!((counter.remaining.nano(), counter.held().nano(), counter.spent().nano()), (40, 60, 0));
    assert_eq!((counter.requests, counter.tokens), (1, 10));
}

#[test]
fn a_reserve_is_refused_when_it_does_not_fit_or_was_seen_before() {
    let counter = created();
    assert_eq!(reserve(Some(&counter), &write(2, 41, WindowForm::Same)), None);
    assert_eq!(reserve(Some(&counter), &write(1, 1, WindowForm::Same)), None);
    assert_eq!(reserve(Some(&counter), &write(2, 1, WindowForm::Create)), None);
    assert!(reserve(Some(&counter), &write(2, 40, WindowForm::Same)).is_some());
}

#[test]
fn a_fenced_id_cannot_enter_a_hold() {
    let counter = Counter { floor: Some(id(5)), ..created() };
    assert_eq!(reserve(Some(&counter), &write(5, 1, WindowForm::Same)), None);
    assert!(reserve(Some(&counter), &write(6, 1, WindowForm::Same)).is_some());
}

#[test]
fn a_stopped_scope_admits_nothing() {
    let counter = Counter { state: ScopeState::Stopped, ..created() };
    assert_eq!(reserve(Some(&counter), &write(2, 0, WindowForm::Same)), None);
}

#[test]
fn rates_are_refused_by_the_same_write_and_roll_with_the_window() {
    let full = Counter { requests: 3, ..created() };
    assert_eq!(reserve(Some(&full), &write(2, 1, WindowForm::Same)), None);
    let full = Counter { tokens: 21, ..created() };
    assert_eq!(reserve(Some(&full), &write(2, 1, WindowForm::Same)), None);
    let stale = Counter { window: NOW.minute() - 7, requests: 3, tokens: 30, ..created() };
    assert_eq!(reserve(Some(&stale), &write(2, 1, WindowForm::Same)), None);
    let rolled = reserve(Some(&stale), &write(2, 1, WindowForm::Roll { from: NOW.minute() - 7 }))
        .expect("a new minute");
    assert_eq!((rolled.window, rolled.requests, rolled.tokens), (NOW.minute(), 1, 10));
}

#[test]
fn a_close_gives_back_the_difference_once() {
    let close_write =
        Close { key: key(), id: id(1), billed: NanoUsd::from_nano(25), billed_tokens: 4, withdrawn: false };
    let closed = close(&created(), &close_write).expect("the hold was live");
    assert_eq!((closed.remaining.nano(), closed.spent().nano(), closed.tokens), (75, 25, 4));
    assert_eq!(close(&closed, &close_write), None);
}

#[test]
fn a_correction_waits_until_the_hold_is_closed() {
    let counter = created();
    let (estimated, exact) = (NanoUsd::from_nano(60), NanoUsd::from_nano(25));
    assert_eq!(correct(&counter, id(1), estimated, exact), None);
    let closed = close(
        &counter,
        &Close { key: key(), id: id(1), billed: estimated, billed_tokens: 10, withdrawn: false },
    )
    .expect("live");
    let corrected = correct(&closed, id(1), estimated, exact).expect("closed before");
    assert_eq!(corrected.spent(), exact);
}

#[test]
fn a_fence_keeps_an_id_and_all_before_it_out_unless_it_is_in() {
    let counter = created();
    assert_eq!(fence(Some(&counter), id(1)), None, "a hold that is there is no stranger");
    let fenced = fence(Some(&counter), id(5)).expect("a floor");
    assert_eq!(fenced, Counter { floor: Some(id(5)), ..counter });
    assert_eq!(fence(Some(&fenced), id(4)), None, "the floor is high enough");
    assert_eq!(reserve(Some(&fenced), &write(4, 1, WindowForm::Same)), None);
    assert!(reserve(Some(&fenced), &write(6, 1, WindowForm::Same)).is_some());
}

#[test]
fn a_counter_that_is_not_there_yet_is_fenced_and_opens_for_later_ids_only() {
    let fenced = fence(None, id(5)).expect("a floor");
    assert!(fenced.is_unopened());
    let opened = |n| reserve(Some(&fenced), &write(n, 60, WindowForm::Create));
    assert_eq!(opened(5), None);
    assert_eq!(reserve(Some(&fenced), &write(6, 0, WindowForm::Same)), None);
    assert_eq!(
        opened(6),
        Some(Counter {
            floor: Some(id(5)),
            ..reserve(None, &write(6, 60, WindowForm::Create)).expect("room")
        })
    );
}
