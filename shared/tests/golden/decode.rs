//! Recorded streams and their readers.

use shared::protocol::frame::{Decoder, Frame};
use shared::protocol::{anthropic, bedrock, openai};

use super::bedrock_frames;
use super::corpus::{Case, files, root};

/// How providers answer: the folder of their streams, and the extension of its files.
pub(crate) const PROVIDERS: &[(&str, &str)] =
    &[("openai", "sse"), ("anthropic", "sse"), ("bedrock", "jsonl")];

pub(crate) fn cases(provider: &str) -> Vec<Case> {
    let (folder, extension) =
        PROVIDERS.iter().find(|(name, _)| *name == provider).expect("a provider of the corpus");
    files(&root().join("streams").join(folder), extension)
}

/// The bytes of the wire.
pub(crate) fn wire(provider: &str, case: &Case) -> Vec<u8> {
    match provider {
        "bedrock" => bedrock_frames::encode(&String::from_utf8(case.bytes()).expect("lines of JSON")),
        _ => case.bytes(),
    }
}

/// The reader of a stream. Where the name of the case begins with `forced`, the model was made to
/// call a tool in place of an answer.
pub(crate) fn decoder(provider: &str, case: &str) -> Box<dyn Decoder> {
    let is_forced = case.starts_with("forced");
    match provider {
        "openai" => Box::new(openai::stream::StreamDecoder::default()),
        "anthropic" => Box::new(anthropic::stream::StreamDecoder::new(is_forced)),
        "bedrock" => Box::new(bedrock::stream::StreamDecoder::new(is_forced)),
        other => panic!("{other} is no provider of the corpus"),
    }
}

pub(crate) fn frames(decoder: &mut dyn Decoder, parts: &[&[u8]]) -> Vec<Result<Frame, String>> {
    parts.iter().flat_map(|part| decoder.feed(part)).collect()
}
