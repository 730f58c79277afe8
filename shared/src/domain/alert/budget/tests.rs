use proptest::prelude::*;

use super::*;
use crate::domain::counter::Allowance;

/// 2026-12-15T12:00:00Z, the middle of a day.
const NOON: Timestamp = Timestamp::from_millis(1_797_336_000_000);
const USUAL: [u32; 3] = [500_000, 800_000, 1_000_000];

fn nano(nano: i64) -> NanoUsd {
    NanoUsd::from_nano(nano)
}

fn counter(cap: i64, remaining: i64) -> Counter {
    let allowance = Allowance { cap: nano(cap), ..Allowance::default() };
    Counter { remaining: nano(remaining), ..Counter::fresh(&allowance, 0) }
}

fn standing(kind: ScopeKind, counter: &Counter, period: Period) -> Standing {
    let key = CounterKey::new(kind, "acme#ann", period, NOON);
    Standing::of(&key, counter, Some("acme".to_owned()), NOON).expect("a budget")
}

fn thresholds(standing: &Standing) -> Vec<(u32, Severity)> {
    let told = standing.crossings(&USUAL, NOON).into_iter().map(|alert| match alert.about {
        About::Budget { threshold_ppm, .. } => (threshold_ppm, alert.severity),
        other => panic!("not about a budget: {other:?}"),
    });
    told.collect()
}

#[test]
fn each_threshold_is_crossed_at_its_share_of_the_cap() {
    let told = |remaining| thresholds(&standing(ScopeKind::Key, &counter(1000, remaining), Period::Day));
    assert_eq!(told(501), []);
    assert_eq!(told(500), [(500_000, Severity::Info)]);
    assert_eq!(told(200).last(), Some(&(800_000, Severity::Warning)));
    assert_eq!(told(1).len(), 2);
    assert_eq!(told(0).last(), Some(&(1_000_000, Severity::Critical)));
    assert_eq!(told(-5).len(), 3, "a cap that was lowered below what is spent");
}

#[test]
fn a_budget_that_refuses_is_spent_up_whatever_remains() {
    let refused = Counter { refused_at: Some(NOON), ..counter(1000, 900) };
    assert_eq!(thresholds(&standing(ScopeKind::Key, &refused, Period::Day)).len(), 3);
    assert_eq!(thresholds(&standing(ScopeKind::Key, &counter(0, 0), Period::Day)), [], "nothing was asked");
    let nothing = Counter { refused_at: Some(NOON), ..counter(0, 0) };
    assert_eq!(thresholds(&standing(ScopeKind::Key, &nothing, Period::Day)).len(), 3);
}

#[test]
fn a_budget_without_a_cap_and_one_of_long_ago_are_not_spoken_of() {
    let free = counter(NanoUsd::UNLIMITED.nano(), 0);
    let key = CounterKey::new(ScopeKind::Key, "k", Period::Day, NOON);
    assert_eq!(Standing::of(&key, &free, None, NOON), None);
    let yesterday = NOON - Duration::from_secs(86_400);
    let of =
        |at| Standing::of(&CounterKey::new(ScopeKind::Key, "k", Period::Day, at), &counter(1, 0), None, NOON);
    let standing = of(yesterday).expect("the day before is seen to its end");
    assert_eq!(standing.budget.resets_at, Some(Period::Day.starts_at(NOON)));
    assert_eq!(of(yesterday - Duration::from_secs(86_400)), None);
}

#[test]
fn the_id_is_that_of_the_scope_for_its_owner() {
    let user = standing(ScopeKind::User, &counter(10, 0), Period::Day);
    assert_eq!(user.budget.id, "ann");
    assert_eq!(user.crossings(&[1_000_000], NOON)[0].severity, Severity::Warning);
    assert_eq!(standing(ScopeKind::Key, &counter(10, 0), Period::Day).budget.id, "acme#ann");
}

#[test]
fn a_forecast_names_the_moment_at_the_present_rate() {
    // Half of the day is over.
    let told = |remaining| standing(ScopeKind::Key, &counter(1000, remaining), Period::Day).forecast(NOON);
    let About::Forecast { ends_at, .. } = told(250).expect("three quarters by noon").about else {
        panic!("a forecast")
    };
    assert_eq!(ends_at.rfc3339(), "2026-12-15T16:00:00Z");
    assert_eq!(told(500), None, "it lasts exactly");
    assert_eq!(told(450), None, "it ends when the day nearly does");
    assert_eq!(told(0), None, "it has ended");
    assert_eq!(told(950), None, "too little to go by");
    let minute = standing(ScopeKind::Key, &counter(1000, 100), Period::Minute);
    assert_eq!(
        (minute.forecast(NOON), standing(ScopeKind::Key, &counter(9, 1), Period::Total).forecast(NOON)),
        (None, None)
    );
}

proptest! {
    #[test]
    fn a_budget_never_leaves_a_threshold_by_spending_more(cap in 0_i64..1_000_000, spent in proptest::collection::vec(0_i64..500_000, 2)) {
        let (less, more) = (spent[0].min(spent[1]), spent[0].max(spent[1]));
        let at = |spent: i64| standing(ScopeKind::Team, &counter(cap, cap - spent), Period::Month).crossings(&USUAL, NOON);
        let ids = |spent: i64| -> Vec<AlertId> { at(spent).into_iter().map(|alert| alert.id).collect() };
        let (before, after) = (ids(less), ids(more));
        prop_assert_eq!(&before[..], &after[..before.len()]);
    }
}
