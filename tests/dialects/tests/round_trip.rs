//! The round trip on a fixed sample, and what it has found.

use dialects::exchange::{Heard, frames};
use dialects::outbounds::decoder;
use dialects::round_trip::{Kind, Outcome, pairs, run};
use shared::protocol::outbound::Outbound;

/// The bytes that a seed stands for.
fn bytes(seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    fastrand::Rng::with_seed(seed).fill(&mut bytes);
    bytes
}

#[test]
fn a_request_comes_back_in_its_own_dialect_from_every_other() {
    for pair in pairs() {
        let outcomes: Vec<Outcome> = (0..60).map(|seed| run(&pair, &bytes(seed))).collect();
        let answered = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Answered(_)));
        assert!(answered.count() > 20, "{pair:?} refuses nearly everything");
    }
}

#[test]
fn the_same_seed_draws_the_same_case() {
    let pair = pairs().next().expect("a pair");
    let (first, second) = (run(&pair, &bytes(7)), run(&pair, &bytes(7)));
    assert_eq!(first, second);
    assert_ne!(first, run(&pair, &bytes(8)));
    let Outcome::Answered(records) = run(&pair, &[]) else { panic!("nothing was asked for") };
    assert!(records.iter().any(|record| record.kind == Kind::Whole));
}

#[test]
fn a_call_without_arguments_has_an_empty_object_for_them() {
    let wire = br#"data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}}

data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":""}}

data: {"type":"content_block_stop","index":0}

"#;
    let heard = Heard::of(frames(decoder(Outbound::Anthropic, false), [wire.as_slice()]));
    assert_eq!(heard.answer.choices[0].tool_calls[0].arguments, "{}");
}
