//! Streams as providers send them, told to every caller.

use serde_json::json;
use shared::protocol::dialect::Dialect;

use super::corpus::Case;
use super::decode::{cases, decoder, frames, wire};
use super::dialects::INBOUND;
use super::layout::pretty;
use super::reply::Heard;
use super::snapshot::{Sections, Snapshots};

fn tell(provider: &str, case: &Case) -> Sections {
    let bytes = wire(provider, case);
    let heard = Heard::of(frames(decoder(provider, &case.name).as_mut(), &[&bytes]));
    let mut sections = Sections::default();
    let read = json!({
        "model": heard.answer.model, "fingerprint": heard.answer.fingerprint, "usage": heard.usage(),
        "ended": heard.fault.as_deref().unwrap_or("complete"),
    });
    sections.push("read", &pretty(&read));
    for (name, dialect) in INBOUND {
        sections.push(&format!("{name}, streamed"), &heard.streamed(*dialect, false));
        if *dialect == Dialect::OpenAi {
            let with_usage = heard.streamed(*dialect, true);
            sections.push(&format!("{name}, streamed with include_usage"), &with_usage);
        }
        sections.push(&format!("{name}, whole"), &heard.whole(*dialect));
    }
    sections
}

fn hold(provider: &str) {
    let mut snapshots = Snapshots::of(&format!("streams/{provider}"));
    for case in cases(provider) {
        snapshots.check(&case.name, &tell(provider, &case));
    }
    snapshots.finish();
}

#[test]
fn openai_streams_reach_each_caller_as_reviewed() {
    hold("openai");
}

#[test]
fn messages_streams_reach_each_caller_as_reviewed() {
    hold("anthropic");
}

#[test]
fn bedrock_streams_reach_each_caller_as_reviewed() {
    hold("bedrock");
}
