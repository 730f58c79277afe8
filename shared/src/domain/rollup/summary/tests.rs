use super::*;
use crate::domain::ledger::{LINE_VERSION, Quality};
use crate::domain::notes::{CacheStatus, Notes, Skipped, Spent, Why};
use crate::domain::rollup::Fold;
use crate::domain::time::Timestamp;
use crate::domain::usage::TokenUsage;

const HOUR: i64 = 500_000;

fn id(n: u128) -> AttemptId {
    AttemptId::new(Timestamp::of_hour(HOUR), n)
}

/// Attempt `n` of request 0, which cost 10 nano-dollars.
fn line(n: u128, key: &str, model: &str, notes: Notes) -> LedgerLine {
    LedgerLine {
        version: LINE_VERSION,
        id: id(n),
        request: id(0),
        tenant: "acme".to_owned(),
        key_id: key.to_owned(),
        user: None,
        model: model.to_owned(),
        price: "p".to_owned(),
        quality: Quality::Exact,
        amount: NanoUsd::from_nano(10),
        reserved: NanoUsd::from_nano(100),
        usage: TokenUsage { uncached: 7, output: 5, ..TokenUsage::NONE },
        outcome: Outcome::Completed,
        items: Vec::new(),
        at: Timestamp::of_hour(HOUR),
        notes: Some(notes),
    }
}

fn miss(attempt: u32, admit: u64, upstream: u64) -> Notes {
    let spent = Spent { auth: 300, cache: 700, admit, upstream: Some(upstream), ..Spent::default() };
    Notes { attempt, cache: CacheStatus::Miss, spent, ..Notes::default() }
}

fn summary(lines: &[LedgerLine]) -> Summary {
    let mut fold = Fold::default();
    lines.iter().try_for_each(|line| fold.add(line)).expect("sums fit");
    let mut folded = fold.close().expect("sums fit");
    assert_eq!(folded.summaries.len(), 1, "{folded:?}");
    folded.summaries.remove(0)
}

#[test]
fn all_keys_and_models_of_a_partition_are_summed() {
    let lines = [
        line(1, "a", "m/x", miss(1, 300, 9_000)),
        // A multiple of the shards away, so that it lies in the same partition.
        LedgerLine { request: id(4 * 32 * 32), ..line(2, "b", "m/x", miss(1, 300, 9_000)) },
    ];
    let partitions: Vec<Partition> = lines.iter().map(LedgerLine::partition).collect();
    let mut fold = Fold::default();
    lines.iter().try_for_each(|line| fold.add(line)).expect("sums fit");
    let folded = fold.close().expect("sums fit");
    let sum = |read: fn(&Summary) -> u64| folded.summaries.iter().map(read).sum::<u64>();
    assert_eq!((sum(|one| one.requests), sum(|one| one.version), sum(|one| one.cache.miss)), (2, 4, 2));
    let mut used = ModelUse::default();
    folded.summaries.iter().try_for_each(|one| used.add(&one.models["m/x"])).expect("sums fit");
    assert_eq!((used.requests, used.cost), (2, NanoUsd::from_nano(20)));
    let keys: BTreeMap<&String, &KeyUse> = folded.summaries.iter().flat_map(|one| &one.keys).collect();
    let each = KeyUse { requests: 1, input: 7, output: 5, cost: NanoUsd::from_nano(10) };
    assert_eq!(keys.values().map(|used| **used).collect::<Vec<_>>(), [each; 2], "{partitions:?}");
}

#[test]
fn a_request_with_two_models_fell_back_and_its_times_are_those_of_all_attempts() {
    let failed = LedgerLine { outcome: Outcome::FailedUnbilled, ..line(1, "a", "m/x", miss(1, 300, 2_000)) };
    let fell_back = summary(&[failed, line(2, "a", "n/y", miss(2, 300, 7_000))]);
    assert_eq!((fell_back.requests, fell_back.fallbacks), (1, 1));
    let mut expected = Times::default();
    expected.gateway.count(1_000);
    expected.total.count(10_000);
    assert_eq!(fell_back.times, expected);
    let retried = summary(&[line(1, "a", "m/x", miss(1, 0, 1)), line(2, "a", "m/x", miss(2, 0, 1))]);
    assert_eq!(retried.fallbacks, 0, "a retry is no fallback");
    let skipped = vec![Skipped { model: "m/x".to_owned(), why: Why::CircuitOpen }];
    assert_eq!(summary(&[line(1, "a", "n/y", Notes { skipped, ..miss(1, 0, 1) })]).fallbacks, 1);
}

#[test]
fn what_was_never_sent_counts_nowhere_but_in_the_version() {
    let abandoned = LedgerLine { outcome: Outcome::Abandoned, ..line(1, "a", "m/x", miss(1, 0, 0)) };
    let summary = summary(&[abandoned]);
    assert_eq!((summary.requests, summary.version, summary.times), (0, 2, Times::default()));
}

#[test]
fn a_summary_keeps_its_form_and_fits_an_item_with_every_key_there_is() {
    let whole = summary(&[line(1, "a", "m/x", miss(1, 300, 9_000))]);
    let json = serde_json::to_value(&whole).expect("json");
    assert_eq!(json["keys"]["a"], serde_json::json!([1, 7, 5, "0.00000001"]));
    assert_eq!(serde_json::from_value::<Summary>(json).expect("a summary"), whole);
    let lines: Vec<LedgerLine> = (0_u32..3_000)
        .map(|n| LedgerLine {
            amount: NanoUsd::from_nano(1_000_000_000 + i64::from(n)),
            ..line(u128::from(n) + 1, &format!("key{n:09}"), "m/x", miss(1, 1, 1))
        })
        .collect();
    let whole = summary(&lines);
    assert_eq!((whole.keys.len(), whole.keys.contains_key("key000002999")), (KEYS_MAX + 1, true));
    let cost: i64 = whole.keys.values().map(|used| used.cost.nano()).sum();
    assert_eq!(cost, lines.iter().map(|line| line.amount.nano()).sum::<i64>(), "nothing is lost");
    assert!(serde_json::to_string(&whole).expect("json").len() < 250_000);
}

#[test]
fn a_vector_that_was_bought_is_no_attempt_at_an_answer() {
    let spent = Spent { admit: 200, upstream: Some(5_000), ..Spent::default() };
    let vector = line(1, "a", "m/embed", Notes { for_lookup: true, spent, ..Notes::default() });
    let answer = line(2, "a", "m/x", miss(1, 300, 9_000));
    let both = summary(&[vector.clone(), answer.clone()]);
    let alone = summary(&[answer]);
    assert_eq!((both.requests, both.fallbacks, &both.times), (1, 0, &alone.times));
    assert_eq!(
        (both.cost(), alone.cost()),
        (NanoUsd::from_nano(20), NanoUsd::from_nano(10)),
        "it is paid for"
    );
}
