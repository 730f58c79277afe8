//! A request goes out in one dialect, is answered in another, and comes back in its own.

mod expected;
mod follow_up;

use serde_json::Value;
use shared::protocol::answer::Answer;
use shared::protocol::canonical::Content;
use shared::protocol::dialect::Dialect;
use shared::protocol::inbound::Inbound;
use shared::protocol::json::parse_object;
use shared::protocol::{size, support};

use crate::draw::answer::{Script, script};
use crate::draw::{Dice, chat, messages, responses};
use crate::exchange::{Heard, frames, streamed, whole};
use crate::outbounds::{ANTHROPIC, BEDROCK, OPENAI, Target};
use crate::told::{self, Told};
use crate::wire::encode;

/// The callers' side and the provider's.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub inbound: &'static str,
    pub outbound: &'static str,
    dialect: Dialect,
    targets: &'static [Target],
}

/// Every pair that must translate.
pub fn pairs() -> impl Iterator<Item = Pair> {
    let inbounds =
        [("chat", Dialect::OpenAi), ("responses", Dialect::Responses), ("messages", Dialect::Anthropic)];
    let outbounds = [("openai", OPENAI), ("anthropic", ANTHROPIC), ("bedrock", BEDROCK)];
    inbounds.into_iter().flat_map(move |(inbound, dialect)| {
        outbounds.map(|(outbound, targets)| Pair { inbound, outbound, dialect, targets })
    })
}

/// What was made on the way, for those who know the published schemas.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub kind: Kind,
    pub body: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The caller's request.
    Request,
    /// The call of the provider.
    Sent,
    /// A reply that is not streamed.
    Whole,
    /// One event of a streamed reply.
    Event,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The target cannot honour this parameter.
    Refused(String),
    Answered(Vec<Record>),
}

/// Runs the case that `bytes` draw.
///
/// # Panics
/// When anything is lost or bent on the way, or a reply breaks the rules of its dialect.
pub fn run(pair: &Pair, bytes: &[u8]) -> Outcome {
    let dice = &mut Dice::new(bytes);
    let target = *dice.pick(pair.targets);
    let request = match pair.dialect {
        Dialect::Anthropic => messages::request(dice),
        Dialect::Responses => responses::request(dice),
        Dialect::OpenAi | Dialect::Seed => chat::request(dice),
    };
    let inbound = read(pair.dialect, &request);
    if let Err(refused) = support::check(&inbound.request, target.outbound, target.model) {
        return Outcome::Refused(refused.param);
    }
    let mut records = vec![record(Kind::Request, request.clone()), sent(&target, &inbound)];
    let script = script(dice, &inbound.request, &target);
    let mut wire = encode(&script, target.outbound, target.is_forced(&inbound.request), dice);
    if dice.chance(6) {
        wire.truncate(dice.below(wire.len()));
        records.extend(break_off(pair, &inbound, &hear(&target, &inbound, &wire, dice)));
        return Outcome::Answered(records);
    }
    let heard = hear(&target, &inbound, &wire, dice);
    assert_eq!(heard.broken, None);
    assert_heard(&heard.answer, &script);
    records.extend(reply(pair, &inbound, &heard, &script));
    let whole = records.last().map(|record| record.body.clone()).unwrap_or_default();
    records.extend(follow_up::run(pair.dialect, &target, &request, &whole, &heard.answer));
    Outcome::Answered(records)
}

fn record(kind: Kind, body: Value) -> Record {
    Record { kind, body }
}

fn read(dialect: Dialect, request: &Value) -> Inbound {
    let body = parse_object(request.to_string().as_bytes()).unwrap_or_else(|fault| panic!("{fault:?}"));
    dialect.read(body).unwrap_or_else(|fault| panic!("{fault:?} in {request}"))
}

/// The call of the provider, under an output limit as a hold would set it.
fn sent(target: &Target, inbound: &Inbound) -> Record {
    const MODEL_MAX: u64 = 16_384;
    let size = size::measure(&inbound.request);
    let limit = size.max_output_tokens.unwrap_or(MODEL_MAX).min(MODEL_MAX);
    record(Kind::Sent, target.body(&inbound.request, limit))
}

/// Reads the wire in parts that are cut anywhere.
fn hear(target: &Target, inbound: &Inbound, wire: &[u8], dice: &mut Dice<'_>) -> Heard {
    let mut parts = Vec::new();
    let mut rest = wire;
    while !rest.is_empty() {
        let (part, more) = rest.split_at((1 + dice.below(200)).min(rest.len()));
        parts.push(part);
        rest = more;
    }
    Heard::of(frames(target.decoder(&inbound.request), parts))
}

/// An empty text says as much as none.
fn assert_heard(answer: &Answer, script: &Script) {
    let normal = |mut answer: Answer| {
        for choice in &mut answer.choices {
            choice.content = choice.content.take().filter(|text| !text.is_empty());
            choice.refusal = choice.refusal.take().filter(|text| !text.is_empty());
        }
        answer.model = answer.model.filter(|model| !model.is_empty());
        answer
    };
    assert_eq!(normal(answer.clone()), normal(script.answer()), "the answer was not read as it was sent");
}

/// Both replies; the one that is not streamed comes last.
fn reply(pair: &Pair, inbound: &Inbound, heard: &Heard, script: &Script) -> Vec<Record> {
    let stream = streamed(pair.dialect, inbound, heard);
    let plain = whole(pair.dialect, inbound, heard);
    let (told, plainly) = (told::streamed(pair.dialect, &stream), told::whole(pair.dialect, &plain));
    if pair.dialect == Dialect::OpenAi {
        told::chat::assert_in_order(&stream);
    }
    expected::assert_told(pair.dialect, &plainly, &script.answer());
    let unasked = pair.dialect == Dialect::OpenAi && !inbound.include_usage;
    let expected =
        Told { usage: if unasked { Value::Null } else { plainly.usage.clone() }, ..plainly.clone() };
    expected::assert_same(pair.dialect, &told, &expected);
    let mut records = event_records(&stream);
    records.push(record(Kind::Whole, serde_json::from_str(&plain).unwrap_or_default()));
    records
}

fn event_records(stream: &str) -> Vec<Record> {
    let events = told::events(stream);
    let said = events.iter().filter(|event| event.data != "[DONE]");
    said.map(|event| record(Kind::Event, event.json())).collect()
}

/// A stream that broke off is told as one.
fn break_off(pair: &Pair, inbound: &Inbound, heard: &Heard) -> Vec<Record> {
    let stream = streamed(pair.dialect, inbound, heard);
    let told = told::streamed(pair.dialect, &stream);
    assert_ne!(told.failed, heard.is_answer(inbound.request.choices));
    event_records(&stream)
}

/// Whether there is anything in it.
fn is_empty(content: &Content) -> bool {
    match content {
        Content::None => true,
        Content::Text(text) => text.is_empty(),
        Content::Parts(parts) => parts.is_empty(),
    }
}
