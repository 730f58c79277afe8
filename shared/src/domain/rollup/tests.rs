use super::*;
use crate::domain::ledger::LINE_VERSION;
use crate::domain::time::Timestamp;
use crate::domain::usage::TokenUsage;

const HOUR: i64 = 500_000;

fn id(n: u128) -> AttemptId {
    AttemptId::new(Timestamp::of_hour(HOUR), n)
}

/// Attempt `n` of `request`, at a nano-dollar a token.
fn line(n: u128, request: u128, user: Option<&str>, model: &str) -> LedgerLine {
    LedgerLine {
        version: LINE_VERSION,
        id: id(n),
        request: id(request),
        tenant: "acme".to_owned(),
        key_id: "key".to_owned(),
        user: user.map(str::to_owned),
        model: model.to_owned(),
        price: "p".to_owned(),
        quality: Quality::Exact,
        amount: NanoUsd::from_nano(15),
        reserved: NanoUsd::from_nano(100),
        usage: TokenUsage { uncached: 7, cache_read: 3, output: 5, reasoning: 2, ..TokenUsage::NONE },
        outcome: Outcome::Completed,
        items: Vec::new(),
        at: Timestamp::of_hour(HOUR),
        notes: None,
    }
}

fn folded(lines: &[LedgerLine]) -> Vec<Rollup> {
    let mut fold = Fold::default();
    lines.iter().try_for_each(|line| fold.add(line)).expect("sums fit");
    fold.rollups().expect("sums fit")
}

#[test]
fn a_request_that_fell_back_is_one_request_of_its_user_and_one_of_each_model() {
    let failed = LedgerLine { outcome: Outcome::FailedUnbilled, ..line(1, 0, Some("u"), "a/x") };
    let rollups = folded(&[line(2, 0, Some("u"), "b/y"), failed]);
    let [rollup] = rollups.as_slice() else { panic!("{rollups:?}") };
    assert_eq!((rollup.requests, rollup.version, rollup.hour), (1, 4, HOUR));
    let [user] = rollup.users.as_slice() else { panic!("{rollup:?}") };
    assert_eq!(user.requests, 1);
    assert_eq!(user.models.values().map(|one| (one.requests, one.attempts)).collect::<Vec<_>>(), [(1, 1); 2]);
}

#[test]
fn every_count_of_a_line_is_summed() {
    let estimated = LedgerLine { quality: Quality::Estimated, ..line(2, 0, None, "a/x") };
    let hit = LedgerLine { outcome: Outcome::CacheHit, amount: NanoUsd::ZERO, ..line(4, 4, None, "a/x") };
    let rollups = folded(&[line(1, 0, None, "a/x"), estimated, hit]);
    let sums: Vec<ModelUse> =
        rollups.iter().flat_map(|one| &one.users[0].models).map(|(_, sum)| *sum).collect();
    let mut sum = ModelUse::default();
    sums.iter().try_for_each(|one| sum.add(one)).expect("sums fit");
    assert_eq!(
        sum,
        ModelUse {
            requests: 2,
            attempts: 2,
            cache_hits: 1,
            input: 30,
            output: 15,
            cached: 9,
            reasoning: 6,
            cost: NanoUsd::from_nano(30),
            estimated: NanoUsd::from_nano(15),
        }
    );
}

#[test]
fn what_was_never_sent_is_no_request_and_still_moves_the_version() {
    let abandoned =
        LedgerLine { outcome: Outcome::Abandoned, amount: NanoUsd::ZERO, ..line(1, 0, None, "a/x") };
    let rollups = folded(std::slice::from_ref(&abandoned));
    assert_eq!((rollups[0].requests, rollups[0].version), (0, 2));
    assert_eq!(rollups[0].users[0].models["a/x"].attempts, 0);
    let both = folded(&[abandoned, line(2, 0, Some("u"), "a/x")]);
    assert_eq!((both[0].requests, both[0].version), (1, 4));
}

#[test]
fn the_version_grows_with_every_write_of_the_ledger() {
    let estimate = LedgerLine { quality: Quality::Estimated, ..line(1, 0, None, "a/x") };
    let versions =
        [vec![estimate.clone()], vec![line(1, 0, None, "a/x")], vec![estimate, line(2, 0, None, "a/x")]]
            .map(|lines| folded(&lines)[0].version);
    assert_eq!(versions, [1, 2, 3]);
}

#[test]
fn what_does_not_fit_an_item_is_summed_as_others() {
    let name = |n: u128| format!("{n}-{}", "x".repeat(2_000));
    let lines: Vec<LedgerLine> = (1..=300)
        .map(|n| LedgerLine {
            amount: NanoUsd::from_nano(i64::try_from(n).unwrap_or(0)),
            ..line(n, 0, Some(&name(n)), "a/x")
        })
        .collect();
    let rollups = folded(&lines);
    let [rollup] = rollups.as_slice() else { panic!("one key and one partition") };
    assert!(serde_json::to_string(rollup).expect("json").len() < 400_000);
    let others = rollup.users.iter().find(|one| one.user.is_none()).expect("nobody");
    assert_eq!(others.models.keys().collect::<Vec<_>>(), [OTHERS]);
    assert!(
        rollup.users.iter().any(|one| one.user.as_ref() == Some(&name(300))),
        "the dearest are told apart"
    );
    let cost: i64 = rollup.users.iter().flat_map(|one| one.models.values()).map(|sum| sum.cost.nano()).sum();
    assert_eq!(cost, 300 * 301 / 2, "nothing is lost");
    assert_eq!(rollup.requests, 1);
}

#[test]
fn a_cost_beyond_64_bits_is_refused() {
    let dear = LedgerLine { amount: NanoUsd::from_nano(i64::MAX), ..line(1, 0, None, "a/x") };
    let mut fold = Fold::default();
    fold.add(&dear).expect("it fits");
    assert_eq!(fold.add(&line(2, 0, None, "a/x")), Err(MoneyError::Overflow));
}

#[test]
fn what_the_cache_was_to_a_request_is_counted_once() {
    use crate::domain::notes::{CacheStatus, Near, Notes};
    let with = |n: u128, request: u128, notes: Notes| LedgerLine {
        notes: Some(notes),
        ..line(n, request, None, "a/x")
    };
    let miss = |attempt: u32, near: Option<Near>| Notes {
        attempt,
        cache: CacheStatus::Miss,
        near,
        ..Notes::default()
    };
    let lines = [
        with(1, 1, miss(1, Some(Near::new("margin", Some(0.9))))),
        // The second attempt of the same request.
        with(2, 1, miss(2, None)),
        with(
            3,
            3,
            Notes { cache: CacheStatus::Semantic, near: Some(Near::new("served", None)), ..Notes::default() },
        ),
        with(4, 4, Notes { bypass: Some("time".to_owned()), attempt: 1, ..Notes::default() }),
        // An embedding passes no cache by.
        with(5, 5, Notes { attempt: 1, ..Notes::default() }),
        line(6, 6, None, "a/x"),
    ];
    let mut sum = CacheUse::default();
    folded(&lines).iter().flat_map(|rollup| rollup.cache.values()).for_each(|used| sum.add(used));
    let counts = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), 1)).collect();
    let expected = CacheUse {
        semantic: 1,
        miss: 1,
        bypass: counts(&["time"]),
        near: counts(&["margin", "served"]),
        ..CacheUse::default()
    };
    assert_eq!(sum, expected);
}
