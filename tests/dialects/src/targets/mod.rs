//! What the fuzzer runs: each target takes any bytes, and panics when a promise is broken. The
//! promises are said where they are checked.

mod configuration;
mod credentials;
mod embeddings;
mod json;
mod names;
mod request;
mod stream;

use shared::protocol::dialect::Dialect;
use shared::protocol::outbound::{Flavour, Outbound};

use crate::round_trip;

/// A name, as the corpus and the fuzzer's binaries are called, and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("json", json::target),
    ("chat_request", |data| request::target(Dialect::OpenAi, data)),
    ("responses_request", |data| request::target(Dialect::Responses, data)),
    ("messages_request", |data| request::target(Dialect::Anthropic, data)),
    ("prompt_request", |data| request::target(Dialect::Seed, data)),
    ("count_request", request::count),
    ("embeddings_request", embeddings::request),
    ("openai_stream", |data| stream::target(Outbound::OpenAi(Flavour::Official), data)),
    ("anthropic_stream", |data| stream::target(Outbound::Anthropic, data)),
    ("bedrock_stream", |data| stream::target(Outbound::Bedrock, data)),
    ("provider_answer", embeddings::answer),
    ("credentials", credentials::target),
    ("names", names::target),
    ("configuration", configuration::target),
    ("prices", configuration::prices),
    ("catalogue", configuration::catalogue),
    ("round_trip", drawn),
];

/// Runs the target of this name.
///
/// # Panics
/// When there is none, and when a promise is broken.
pub fn run(name: &str, data: &[u8]) {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = found.unwrap_or_else(|| panic!("no target {name}"));
    target(data);
}

/// The round trip of whatever the bytes draw, through the pair that the first of them names.
fn drawn(data: &[u8]) {
    if let Some((first, rest)) = data.split_first() {
        let pairs: Vec<round_trip::Pair> = round_trip::pairs().collect();
        round_trip::run(&pairs[usize::from(*first) % pairs.len()], rest);
    }
}
