//! From the bytes of a provider to the reply of a caller, as the gateway goes.

use serde_json::Map;
use shared::domain::money::NanoUsd;
use shared::domain::time::Timestamp;
use shared::protocol::answer::Answer;
use shared::protocol::canonical::{Chunk, Delta};
use shared::protocol::dialect::{Dialect, ReplyHead, Summary};
use shared::protocol::error::{ErrorReport, no_route};
use shared::protocol::frame::{Decoder, Frame};
use shared::protocol::inbound::Inbound;

pub const DIALECTS: [Dialect; 4] = [Dialect::OpenAi, Dialect::Responses, Dialect::Anthropic, Dialect::Seed];
pub const REQUEST_ID: &str = "01K9ZZZZZZZZZZZZZZZZZZZZZZ";
const BEGUN: Timestamp = Timestamp::from_millis(1_800_000_000_123);

/// The frames of a stream that comes in parts, up to the one that ends it.
pub fn frames<'a>(
    mut decoder: Box<dyn Decoder>,
    parts: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Result<Frame, String>> {
    let mut all = Vec::new();
    for part in parts {
        for frame in decoder.feed(part) {
            let is_last = !matches!(frame, Ok(Frame::Chunk(_)));
            all.push(frame);
            if is_last {
                return all;
            }
        }
    }
    all
}

/// A provider's stream as far as it could be read.
#[derive(Debug, Default)]
pub struct Heard {
    pub chunks: Vec<Chunk>,
    pub answer: Answer,
    /// Why it could not be read on.
    pub broken: Option<String>,
}

impl Heard {
    pub fn of(frames: Vec<Result<Frame, String>>) -> Self {
        let mut heard = Heard::default();
        for frame in frames {
            match frame {
                Ok(Frame::Chunk(chunk)) => {
                    heard.answer.push(&chunk);
                    heard.chunks.push(chunk);
                }
                Ok(Frame::Done) => break,
                Ok(Frame::Error { message, .. }) | Err(message) => heard.broken = Some(message),
            }
        }
        heard
    }

    /// Whether the caller gets an answer.
    pub fn is_answer(&self, choices: u64) -> bool {
        self.broken.is_none() && self.answer.is_complete(choices)
    }
}

/// What the reply repeats, from all that is known when it begins.
fn head(inbound: &Inbound, so_far: &Answer) -> ReplyHead {
    ReplyHead {
        request_id: REQUEST_ID.to_owned(),
        model: so_far.model.clone().unwrap_or_else(|| "demo/m".to_owned()),
        served_by: "demo/m".to_owned(),
        fingerprint: so_far.fingerprint.clone(),
        created: BEGUN,
        from_cache: false,
        include_usage: inbound.include_usage,
        choices: inbound.request.choices,
        usage: so_far.usage,
        echo: inbound.echo.clone(),
    }
}

fn summary(answer: &Answer) -> Summary {
    let completed = Timestamp::from_millis(BEGUN.millis() + 2500);
    Summary { usage: answer.usage, cost: NanoUsd::from_nano(1_500_000), completed, stopped: false }
}

fn report() -> ErrorReport {
    ErrorReport { details: Map::new(), ..no_route("POST", "/upstream", false) }
}

/// The reply to a caller who streams.
pub fn streamed(dialect: Dialect, inbound: &Inbound, heard: &Heard) -> String {
    let mut renderer = dialect.renderer();
    let mut text = String::new();
    let mut so_far = Answer::default();
    let mut chunks = heard.chunks.iter();
    let first = chunks.by_ref().find(|chunk| {
        so_far.push(chunk);
        chunk.deltas.iter().any(Delta::has_content)
    });
    let is_answer = heard.is_answer(inbound.request.choices);
    if first.is_some() || is_answer {
        text += &renderer.start(head(inbound, &so_far));
    }
    for delta in first.into_iter().chain(chunks).flat_map(|chunk| &chunk.deltas) {
        if delta.has_content() {
            text += &renderer.delta(delta);
        }
    }
    text + &match is_answer {
        true => renderer.end(&summary(&heard.answer)),
        false => renderer.error(&report()),
    }
}

/// The reply to one who does not.
pub fn whole(dialect: Dialect, inbound: &Inbound, heard: &Heard) -> String {
    dialect.whole(&head(inbound, &heard.answer), &heard.answer, &summary(&heard.answer))
}
