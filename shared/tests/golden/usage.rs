//! What providers report of tokens, as it is priced and as callers are told it.

use serde_json::{Value, json};
use shared::domain::money::NanoUsd;
use shared::domain::usage::TokenUsage;
use shared::protocol::answer::{Answer, Choice};
use shared::protocol::canonical::FinishReason;
use shared::protocol::dialect::{Dialect, Summary};
use shared::protocol::frame::Frame;

use super::bedrock_frames;
use super::corpus::{Case, files, root};
use super::decode::{decoder, frames};
use super::dialects::INBOUND;
use super::layout::pretty;
use super::reply::{CREATED, head};
use super::snapshot::{Sections, Snapshots};

pub(crate) fn cases(provider: &str) -> Vec<Case> {
    files(&root().join("usage").join(provider), "json")
}

/// The report in the events that carry it. Anthropic's is told in two, the start and the end of a
/// message.
fn wire(provider: &str, report: &Value) -> Vec<u8> {
    let event = |data: Value| format!("data: {data}\n\n");
    match provider {
        "openai" => event(json!({ "choices": [], "usage": report })).into_bytes(),
        "anthropic" => {
            let start = json!({ "type": "message_start", "message": { "usage": report["message_start"] } });
            let end = json!({ "type": "message_delta", "delta": {}, "usage": report["message_delta"] });
            (event(start) + &event(end)).into_bytes()
        }
        "bedrock" => {
            let line =
                json!({ "event": "metadata", "payload": { "usage": report, "metrics": { "latencyMs": 1 } } });
            bedrock_frames::encode(&line.to_string())
        }
        other => panic!("{other} is no provider of the corpus"),
    }
}

fn partition(provider: &str, case: &Case) -> TokenUsage {
    let bytes = wire(provider, &case.json());
    let usage = |frame| match frame {
        Ok(Frame::Chunk(chunk)) => chunk.usage,
        other => panic!("{provider}/{}: {other:?}", case.name),
    };
    frames(decoder(provider, &case.name).as_mut(), &[&bytes])
        .into_iter()
        .filter_map(usage)
        .next_back()
        .expect("a report")
}

fn told(dialect: Dialect, usage: TokenUsage) -> Value {
    let choice = Choice { finish: Some(FinishReason::Stop), ..Choice::default() };
    let answer = Answer { choices: vec![choice], usage, ..Answer::default() };
    let summary = Summary { usage, cost: NanoUsd::ZERO, completed: CREATED, stopped: false };
    let body = dialect.whole(&head(&answer, true, 1), &answer, &summary);
    serde_json::from_str::<Value>(&body).expect("JSON")["usage"].clone()
}

fn hold(provider: &str) {
    let mut snapshots = Snapshots::of(&format!("usage/{provider}"));
    for case in cases(provider) {
        let usage = partition(provider, &case);
        let mut sections = Sections::default();
        sections.push("partition", &pretty(&json!(usage)));
        for (name, dialect) in INBOUND {
            sections.push(name, &pretty(&told(*dialect, usage)));
        }
        snapshots.check(&case.name, &sections);
    }
    snapshots.finish();
}

#[test]
fn reports_of_openai_are_partitioned_and_told_as_reviewed() {
    hold("openai");
}

#[test]
fn reports_of_anthropic_are_partitioned_and_told_as_reviewed() {
    hold("anthropic");
}

#[test]
fn reports_of_bedrock_are_partitioned_and_told_as_reviewed() {
    hold("bedrock");
}
