//! What a model might answer to a request, before a vendor's wire carries it.

use serde_json::{Value, json};
use shared::domain::usage::TokenUsage;
use shared::protocol::answer::{Answer, Choice};
use shared::protocol::canonical::{
    ChatRequest, FinishReason, ReasoningBlock, ResponseFormat, Tool, ToolCall, ToolChoice,
};
use shared::protocol::outbound::{Flavour, Outbound};

use super::Dice;
use crate::outbounds::Target;

/// One answer, as its vendor sends it.
#[derive(Clone, Debug)]
pub struct Script {
    pub model: String,
    pub fingerprint: Option<String>,
    pub choices: Vec<Spoken>,
    pub usage: TokenUsage,
}

/// One choice of it.
#[derive(Clone, Debug)]
pub struct Spoken {
    pub segments: Vec<Segment>,
    pub finish: FinishReason,
    pub logprobs: bool,
}

#[derive(Clone, Debug)]
pub enum Segment {
    Thought(ReasoningBlock),
    /// In the pieces that it is sent in.
    Text(Vec<String>),
    Refusal(String),
    Call(ToolCall),
}

impl Script {
    /// What everybody who reads the wire must come to.
    pub fn answer(&self) -> Answer {
        Answer {
            model: Some(self.model.clone()),
            fingerprint: self.fingerprint.clone(),
            choices: self.choices.iter().map(Spoken::choice).collect(),
            usage: self.usage,
        }
    }
}

impl Spoken {
    fn choice(&self) -> Choice {
        let mut choice = Choice { finish: Some(self.finish.clone()), ..Choice::default() };
        let mut logprobs: Vec<Value> = Vec::new();
        for segment in &self.segments {
            match segment {
                Segment::Thought(block) => choice.reasoning.push(block.clone()),
                Segment::Text(pieces) => {
                    choice.content.get_or_insert_default().push_str(&pieces.concat());
                    logprobs.extend(pieces.iter().map(|piece| logprob(piece)));
                }
                Segment::Refusal(text) => choice.refusal.get_or_insert_default().push_str(text),
                Segment::Call(call) => choice.tool_calls.push(call.clone()),
            }
        }
        let has_any = self.logprobs && !logprobs.is_empty();
        choice.logprobs = has_any.then(|| json!({ "content": logprobs, "refusal": null }));
        choice
    }
}

/// The log probability of one piece of text. A token that is no whole letter has no bytes to show.
pub fn logprob(piece: &str) -> Value {
    let bytes = if piece.is_ascii() { json!(piece.as_bytes()) } else { Value::Null };
    let likely = json!({ "token": piece, "logprob": -0.25, "bytes": bytes });
    let unlikely = json!({ "token": "?", "logprob": -3, "bytes": null });
    let mut entry = likely.clone();
    entry["top_logprobs"] = json!([likely, unlikely]);
    entry
}

/// An answer to `request` by the model of `target`.
pub fn script(dice: &mut Dice<'_>, request: &ChatRequest, target: &Target) -> Script {
    let choices = (0..request.choices).map(|_| spoken(dice, request, target)).collect();
    let is_openai = matches!(target.outbound, Outbound::OpenAi(_));
    Script {
        // Bedrock does not say which model it was.
        model: if target.outbound == Outbound::Bedrock {
            String::new()
        } else {
            format!("{}-0613", target.model)
        },
        fingerprint: if is_openai { dice.maybe(50, |dice| dice.id("fp_")) } else { None },
        choices,
        usage: usage(dice, target.outbound),
    }
}

fn spoken(dice: &mut Dice<'_>, request: &ChatRequest, target: &Target) -> Spoken {
    let mut segments = thoughts(dice, target);
    let logprobs = request.extra.get("logprobs") == Some(&json!(true));
    let is_structured =
        matches!(request.response_format, Some(ResponseFormat::JsonObject | ResponseFormat::JsonSchema(_)));
    if target.is_forced(request) {
        segments.clear();
    }
    let calls = calls(dice, request, target);
    match (is_structured && calls.is_empty(), dice.below(12)) {
        (true, 1..) => segments.push(structured(dice)),
        (false, 1 | 2) if calls.is_empty() && matches!(target.outbound, Outbound::OpenAi(_)) => {
            segments.push(Segment::Refusal(dice.text()));
        }
        (false, 1..9) => segments.push(text(dice)),
        (false, 9..) if calls.is_empty() => segments.push(text(dice)),
        _ => {}
    }
    let has_calls = !calls.is_empty();
    segments.extend(calls.into_iter().map(Segment::Call));
    let finish = finish(dice, request, target, has_calls);
    if finish == FinishReason::Length
        && let Some(Segment::Call(last)) = segments.last_mut()
    {
        // It was cut off in the middle of the call.
        let half = last.arguments.floor_char_boundary(last.arguments.len() / 2);
        last.arguments.truncate(half);
        if last.arguments.is_empty() {
            last.arguments.push('{');
        }
    }
    Spoken { segments, finish, logprobs }
}

fn text(dice: &mut Dice<'_>) -> Segment {
    let text = dice.text();
    Segment::Text(dice.pieces(&text))
}

fn structured(dice: &mut Dice<'_>) -> Segment {
    let text = Value::Object(dice.object()).to_string();
    Segment::Text(dice.pieces(&text))
}

fn thoughts(dice: &mut Dice<'_>, target: &Target) -> Vec<Segment> {
    if !dice.chance(35) {
        return Vec::new();
    }
    let open = |dice: &mut Dice<'_>| ReasoningBlock { text: dice.text(), ..ReasoningBlock::default() };
    let sealed = |dice: &mut Dice<'_>| match dice.chance(25) {
        true => ReasoningBlock { redacted: Some(dice.id("cmVk")), ..ReasoningBlock::default() },
        false => ReasoningBlock { signature: Some(dice.id("c2ln")), ..open(dice) },
    };
    let blocks = match target.outbound {
        Outbound::OpenAi(_) => vec![open(dice)],
        Outbound::Anthropic | Outbound::Bedrock if target.model.contains("claude") => {
            dice.several(1, 2, sealed)
        }
        Outbound::Anthropic | Outbound::Bedrock => vec![open(dice)],
    };
    blocks.into_iter().map(Segment::Thought).collect()
}

fn calls(dice: &mut Dice<'_>, request: &ChatRequest, target: &Target) -> Vec<ToolCall> {
    let (must, may): (bool, Vec<&Tool>) = match &request.tool_choice {
        Some(ToolChoice::None) => (false, Vec::new()),
        Some(ToolChoice::Required) => (true, request.tools.iter().collect()),
        Some(ToolChoice::Tool(name)) => (true, named(request, std::slice::from_ref(name))),
        Some(ToolChoice::Allowed { required, names }) => (*required, named(request, names)),
        Some(ToolChoice::Auto) | None => (false, request.tools.iter().collect()),
    };
    if may.is_empty() || !(must || dice.chance(60)) {
        return Vec::new();
    }
    let most = if request.parallel_tool_calls == Some(false) { 1 } else { 3 };
    let seals = target.outbound == Outbound::OpenAi(Flavour::Google);
    let mut made = 0;
    dice.several(1, most, |dice| {
        made += 1;
        ToolCall {
            id: format!("{}{made}", dice.id("call_")),
            name: dice.pick(&may).name.clone(),
            arguments: Value::Object(dice.object()).to_string(),
            signature: if seals { dice.maybe(50, |dice| dice.id("thought")) } else { None },
        }
    })
}

fn named<'a>(request: &'a ChatRequest, names: &[String]) -> Vec<&'a Tool> {
    request.tools.iter().filter(|tool| names.contains(&tool.name)).collect()
}

fn finish(dice: &mut Dice<'_>, request: &ChatRequest, target: &Target, has_calls: bool) -> FinishReason {
    let tells_sequences = !matches!(target.outbound, Outbound::OpenAi(_));
    match dice.below(12) {
        1 => FinishReason::Length,
        2 if !has_calls => FinishReason::ContentFilter,
        3 | 4 if !has_calls && tells_sequences && !request.stop.is_empty() && !target.is_forced(request) => {
            FinishReason::StopSequence(request.stop[0].clone())
        }
        _ if has_calls => FinishReason::ToolCalls,
        _ => FinishReason::Stop,
    }
}

/// Token counts in the classes that the vendor tells apart.
fn usage(dice: &mut Dice<'_>, outbound: Outbound) -> TokenUsage {
    let count = |dice: &mut Dice<'_>, percent| dice.maybe(percent, |dice| dice.within(0, 5000)).unwrap_or(0);
    let output = 1 + count(dice, 90);
    let common = TokenUsage {
        uncached: 1 + count(dice, 90),
        cache_read: count(dice, 40),
        output,
        ..TokenUsage::default()
    };
    let written = |dice: &mut Dice<'_>| (count(dice, 30), count(dice, 20));
    match outbound {
        Outbound::OpenAi(_) => {
            TokenUsage { audio: count(dice, 5), reasoning: count(dice, 30).min(output), ..common }
        }
        Outbound::Anthropic => {
            let (cache_write_5m, cache_write_1h) = written(dice);
            TokenUsage { cache_write_5m, cache_write_1h, reasoning: count(dice, 30).min(output), ..common }
        }
        Outbound::Bedrock => {
            let (cache_write_5m, cache_write_1h) = written(dice);
            TokenUsage { cache_write_5m, cache_write_1h, ..common }
        }
    }
}
