//! Whatever differs between two requests, they share neither key nor partition; and the partition
//! knows nothing of what was said last.

use proptest::prelude::*;
use serde_json::{Value, json};
use shared::domain::cache::{CacheKey, CachePartition, PromptVersion, Shape, SharedBy};

/// Parts of a shape, and the tenant.
const PARTS: usize = 14;

/// Where the answer lies to `text` in a shape of these parts.
fn placed(drawn: &[String], text: &str) -> (CacheKey, CachePartition) {
    let value = |at: usize| json!(drawn[at]);
    let [system, history, parameters, tools, format, attachments] = [4, 7, 8, 9, 10, 12].map(value);
    let prompt = PromptVersion { id: drawn[5].clone(), version: drawn[6].clone() };
    let shape = Shape {
        shared_by: SharedBy::User { key_id: &drawn[1], user: &drawn[2] },
        model: &drawn[3],
        system: &system,
        prompt: Some(&prompt),
        version_key: &drawn[13],
        history: &history,
        parameters: &parameters,
        tools: &tools,
        format: &format,
        locale: Some(&drawn[11]),
        attachments: &attachments,
        policy: 1,
        embedder: "words@1",
    };
    let digest = shape.digest();
    (digest.key(text), digest.partition(&drawn[0]))
}

/// Short texts of few letters and of what JSON writes otherwise, so that parts that ran together
/// would meet.
fn part() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[ab\",\\[\\]{}:\\\\@ ]{0,4}").expect("an expression")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn two_requests_that_differ_in_one_part_share_nothing(
        drawn in proptest::collection::vec(part(), PARTS), at in 0..PARTS, other in part(), text in part(),
    ) {
        prop_assume!(drawn[at] != other);
        let mut changed = drawn.clone();
        changed[at] = other;
        let ((key, partition), (other_key, other_partition)) = (placed(&drawn, &text), placed(&changed, &text));
        prop_assert_ne!(&partition, &other_partition);
        // Keys and users belong to one tenant, so the tenant need not be in the key of an entry.
        prop_assert_eq!(key != other_key, at != 0);
        prop_assert_ne!(key.as_str(), partition.as_str());
    }

    #[test]
    fn two_parts_that_trade_their_values_are_two_requests(
        drawn in proptest::collection::vec(part(), PARTS), at in 1..PARTS, by in 1..PARTS,
    ) {
        let mut traded = drawn.clone();
        traded.swap(at, by);
        prop_assume!(traded != drawn);
        prop_assert_ne!(placed(&drawn, "hi"), placed(&traded, "hi"));
    }

    #[test]
    fn what_was_said_last_is_in_the_key_and_not_in_the_partition(
        drawn in proptest::collection::vec(part(), PARTS), text in part(), other in part(),
    ) {
        let ((key, partition), (other_key, other_partition)) = (placed(&drawn, &text), placed(&drawn, &other));
        prop_assert_eq!(partition, other_partition);
        prop_assert_eq!(key == other_key, text == other);
    }
}

#[test]
fn who_shares_an_answer_is_told_apart_from_what_they_are_called() {
    let place = |shared_by| {
        let nothing = Value::Null;
        let shape = Shape {
            shared_by,
            model: "m/m",
            system: &nothing,
            prompt: None,
            version_key: "v",
            history: &nothing,
            parameters: &nothing,
            tools: &nothing,
            format: &nothing,
            locale: None,
            attachments: &nothing,
            policy: 1,
            embedder: "words@1",
        };
        shape.digest().partition("acme")
    };
    let owners = [
        SharedBy::Key { key_id: "a" },
        SharedBy::Tenant { tenant: "a" },
        SharedBy::User { key_id: "a", user: "" },
        SharedBy::User { key_id: "", user: "a" },
    ];
    let places = owners.map(place);
    for (at, one) in places.iter().enumerate() {
        assert!(places[at + 1..].iter().all(|other| other != one), "{at}");
    }
}
