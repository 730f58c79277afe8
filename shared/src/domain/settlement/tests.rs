use proptest::prelude::*;

use super::*;
use crate::domain::counter::{HoldFacts, ScopeKind, close, correct};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn nano(amount: i64) -> NanoUsd {
    NanoUsd::from_nano(amount)
}

fn part(kind: ScopeKind, shard: Option<u8>, amount: i64) -> Part {
    let counter = CounterKey { kind, id: "a".to_owned(), period: "total".to_owned(), shard };
    Part { counter, amount: nano(amount) }
}

/// A key spread over shards with these parts, and its tenant, which is not.
fn items(parts: &[i64]) -> Vec<Part> {
    let shards = (0..).zip(parts).map(|(shard, amount)| part(ScopeKind::Key, Some(shard), *amount));
    let whole = part(ScopeKind::Tenant, None, parts.iter().sum());
    shards.chain([whole]).collect()
}

fn hold(items: &[Part], amount: NanoUsd) -> Hold {
    let request = AttemptId::new(NOW, 0);
    let word = String::new;
    let facts =
        HoldFacts { request, tenant: word(), key: word(), model: word(), price: word(), for_lookup: false };
    Hold { amount, tokens: 0, window: 0, items: items.to_vec(), expires: NOW, facts }
}

fn charged(items: &[Part], billed: i64) -> Vec<i64> {
    shares(items, nano(billed)).into_iter().map(NanoUsd::nano).collect()
}

#[test]
fn shards_are_charged_in_order_and_every_scope_in_full() {
    let items = items(&[3, 4, 5]);
    assert_eq!(charged(&items, 0), [0, 0, 0, 0]);
    assert_eq!(charged(&items, 2), [2, 0, 0, 2]);
    assert_eq!(charged(&items, 6), [3, 3, 0, 6]);
    assert_eq!(charged(&items, 12), [3, 4, 5, 12]);
    assert_eq!(charged(&items, 14), [3, 4, 7, 14], "what was not held is charged to the last");
}

#[test]
fn a_line_of_version_one_charges_its_counters_in_full() {
    let old = r#"[{"kind":"key","id":"a","period":"total"},{"kind":"token","id":"b","period":"total"}]"#;
    let items: Vec<Part> = serde_json::from_str(old).expect("readable");
    assert_eq!(items[0].counter.shard, None);
    assert_eq!(charged(&items, 7), [7, 7]);
}

#[test]
fn one_refusal_gives_back_and_one_silence_abandons() {
    use Entered::{Held, Refused, Unheard};
    assert_eq!(conclude(&[Held, Held]), Conclusion::Dispatch);
    assert_eq!(conclude(&[Held, Refused]), Conclusion::GiveBack);
    assert_eq!(conclude(&[Held, Unheard]), Conclusion::Abandon);
    assert_eq!(conclude(&[Refused, Unheard]), Conclusion::Abandon);
}

#[test]
fn a_sweep_fences_what_it_misses_before_it_posts() {
    use View::{Absent, Fenced, Live};
    assert_eq!(verdict(&[Live, Live]), Verdict::Estimate);
    assert_eq!(verdict(&[Live, Absent]), Verdict::Fence(1));
    assert_eq!(verdict(&[Fenced, Absent, Live]), Verdict::Void);
}

#[test]
fn a_swept_hold_is_charged_whole_or_not_at_all() {
    let items = items(&[3, 4]);
    let hold = hold(&items, nano(4));
    let id = AttemptId::new(NOW, 1);
    assert_eq!(void(id, &hold, NOW).amount, NanoUsd::ZERO);
    let line = estimate(id, &hold, NOW);
    assert_eq!((line.amount, line.reserved), (nano(7), nano(7)));
    let billed: Vec<i64> = closes(&line).iter().map(|close| close.billed.nano()).collect();
    assert_eq!(billed, [3, 4, 7]);
}

/// A counter in which the part of attempt 1 is held.
fn holding(items: &[Part], amount: NanoUsd) -> Counter {
    let live = [(AttemptId::new(NOW, 1), hold(items, amount))].into();
    let mut counter = crate::domain::counter::fence(None, AttemptId::new(NOW, 0)).expect("a fresh one");
    (counter.cap, counter.live) = (amount, live);
    counter
}

proptest! {
    #[test]
    fn the_split_adds_up_stays_within_the_parts_and_grows_with_the_bill(
        parts in prop::collection::vec(0_i64..1_000, 1..64),
        thousandths in (0_i64..=1_000, 0_i64..=1_000),
    ) {
        let items = items(&parts);
        let total: i64 = parts.iter().sum();
        let (one, other) = thousandths;
        let (less, more) = (total * one.min(other) / 1_000, total * one.max(other) / 1_000);
        let (small, large) = (charged(&items, less), charged(&items, more));
        prop_assert_eq!(small[..parts.len()].iter().sum::<i64>(), less);
        prop_assert_eq!(small[parts.len()], less);
        for ((share, greater), part) in small.iter().zip(&large).zip(&items) {
            prop_assert!(0 <= *share && share <= greater && *greater <= part.amount.nano());
        }
    }

    #[test]
    fn closing_at_an_estimate_and_correcting_it_is_closing_at_the_exact_amount(
        parts in prop::collection::vec(0_i64..1_000, 1..8),
        bill in 0_i64..8_000,
    ) {
        let items = items(&parts);
        let id = AttemptId::new(NOW, 1);
        let estimated = estimate(id, &hold(&items, nano(0)), NOW);
        let amount = nano(bill.min(estimated.amount.nano()));
        let exact = LedgerLine { amount, quality: Quality::Exact, ..estimated.clone() };
        let both = closes(&estimated).into_iter().zip(closes(&exact));
        for ((at_estimate, at_exact), change) in both.zip(corrections(&estimated, &exact)) {
            let part = items.iter().find(|part| part.counter == change.key).expect("its part");
            let counter = holding(&items, part.amount);
            let late = close(&counter, &at_estimate).expect("live");
            let late = correct(&late, id, change.estimated, change.exact).expect("closed");
            prop_assert_eq!(late, close(&counter, &at_exact).expect("live"));
        }
    }
}

#[test]
fn the_tokens_of_a_request_are_counted_once_in_every_scope() {
    let items = items(&[3, 4, 5]);
    let usage = TokenUsage { uncached: 30, output: 12, ..TokenUsage::default() };
    let line = LedgerLine { usage, ..void(AttemptId::new(NOW, 1), &hold(&items, nano(12)), NOW) };
    let tokens: Vec<i64> = closes(&line).iter().map(|close| close.billed_tokens).collect();
    assert_eq!(tokens, [42, 0, 0, 42]);
}
