//! What a provider does with a call: it answers, or fails in one of the ways that providers fail.

use std::time::Duration;

use futures_util::StreamExt;
use shared::domain::price::ModelLimits;
use shared::domain::reservation::Reservation;
use shared::domain::usage::TokenUsage;
use shared::ports::{AttemptError, ChunkStream};
use shared::protocol::canonical::{ChatRequest, Chunk, Content, Delta, FinishReason, Message, Part};
use shared::protocol::embeddings::{EmbedRequest, Embeddings, Input};
use tokio::time::sleep;

use super::wire::Wire;
use super::world::World;

/// What a call asks for.
#[derive(Clone, Debug)]
pub(crate) struct Demand {
    /// What every piece of the answer is marked with: the attempt, the key, the user.
    mark: String,
    /// The most tokens that a tokenizer could make of the input, template included.
    input: u64,
    images: u64,
    /// The output limit that was sent.
    output: u64,
    choices: u32,
}

/// One frame, after a silence.
type Frame = (Duration, Result<Chunk, AttemptError>);

/// What the provider does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Nothing comes back.
    Silence,
    /// It works, and nothing comes back.
    Work(TokenUsage),
    Refuse(AttemptError),
    Answer {
        usage: TokenUsage,
        frames: Vec<Frame>,
        /// After the last frame nothing comes, not even an end.
        stalls: bool,
        /// What it says of the usage, where it says anything.
        reported: Option<TokenUsage>,
    },
}

/// In which way an answer fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Status(u16),
    Work,
    StallAtOnce,
    Preamble,
    ErrorBefore,
    ErrorAfter,
    BreakOff,
    EndEarly,
    Stall,
}

const FAULTS: &[Fault] = &[
    Fault::Status(400),
    Fault::Status(429),
    Fault::Status(500),
    Fault::Status(503),
    Fault::Work,
    Fault::StallAtOnce,
    Fault::Preamble,
    Fault::ErrorBefore,
    Fault::ErrorAfter,
    Fault::BreakOff,
    Fault::EndEarly,
    Fault::Stall,
];

impl Demand {
    pub(crate) fn chat(paid: &Reservation, request: &ChatRequest) -> Self {
        let user = request.user.as_deref().unwrap_or_default();
        Demand {
            mark: format!("[{}|{}|{user}]", paid.id(), paid.facts().key),
            // OpenAI's template puts three tokens around a message and three before the reply.
            input: 3 + request.messages.iter().map(|message| 3 + bytes(message)).sum::<u64>(),
            images: request.messages.iter().map(images).sum(),
            output: paid.bound().max_output_tokens,
            choices: u32::try_from(request.choices).unwrap_or(1),
        }
    }

    pub(crate) fn embedding(request: &EmbedRequest) -> Self {
        let most = |input: &Input| match input {
            Input::Text(text) => text.len() + 2,
            Input::Tokens(tokens) => tokens.len() + 2,
        };
        let input = request.inputs.iter().map(|input| most(input) as u64).sum();
        Demand { mark: String::new(), input, images: 0, output: 0, choices: 1 }
    }
}

fn bytes(message: &Message) -> u64 {
    match &message.content {
        Content::None => 0,
        Content::Text(text) => text.len() as u64,
        Content::Parts(parts) => parts.iter().filter_map(Part::as_text).map(|text| text.len() as u64).sum(),
    }
}

fn images(message: &Message) -> u64 {
    match &message.content {
        Content::Parts(parts) => parts.iter().filter(|part| part.is_image()).count() as u64,
        Content::None | Content::Text(_) => 0,
    }
}

impl Act {
    pub(crate) fn draw(world: &World, demand: &Demand, limits: &ModelLimits) -> Act {
        let dice = &world.dice;
        let embeds = limits.embeds();
        if demand.input > limits.context_window && !embeds {
            let message = "the prompt is longer than the window".to_owned();
            return Act::Refuse(status(400, message, None));
        }
        let fault = dice.chance(world.faults().provider).then(|| dice.pick(FAULTS));
        // Vectors come in one piece: there is no after within it.
        let fault = fault.filter(|fault| *fault != Fault::ErrorAfter || !embeds);
        let usage = usage(world, demand, limits);
        match fault {
            Some(Fault::Status(code)) => {
                let wait = (code == 429 && dice.chance(500)).then(|| dice.millis(0..=4_000));
                Act::Refuse(status(code, "scripted".to_owned(), wait))
            }
            Some(Fault::Work) => Act::Work(usage),
            Some(Fault::ErrorBefore) => Act::Answer {
                usage: TokenUsage::NONE,
                frames: vec![(dice.millis(0..=200), Err(overloaded()))],
                stalls: false,
                reported: None,
            },
            fault => answer(world, demand, usage, fault),
        }
    }

    /// What is billed for it.
    pub(crate) fn billed(&self) -> TokenUsage {
        match self {
            Act::Silence | Act::Refuse(_) => TokenUsage::NONE,
            Act::Work(usage) | Act::Answer { usage, .. } => *usage,
        }
    }

    /// What it says was used; what is billed, where it says nothing.
    pub(crate) fn told(&self) -> TokenUsage {
        match self {
            Act::Answer { reported: Some(reported), .. } => *reported,
            _ => self.billed(),
        }
    }

    /// The vectors of an embedding, with the tokens of the last frame that tells any.
    pub(crate) async fn vectors(self, inputs: usize) -> Result<Embeddings, AttemptError> {
        match self {
            Act::Silence | Act::Work(_) => std::future::pending().await,
            Act::Refuse(error) => Err(error),
            Act::Answer { reported, frames, stalls, .. } => {
                for (silence, frame) in frames {
                    sleep(silence).await;
                    frame?;
                }
                if stalls {
                    std::future::pending::<()>().await;
                }
                let tokens = reported.map(|usage| usage.uncached);
                Ok(Embeddings { model: None, vectors: vec![vec![0.5]; inputs], tokens })
            }
        }
    }
}

/// The chunks as they come in, as long as the process that asked for them lives.
pub(crate) async fn stream(act: Act, wire: Wire) -> Result<ChunkStream, AttemptError> {
    match act {
        Act::Silence | Act::Work(_) => std::future::pending().await,
        Act::Refuse(error) => Err(error),
        Act::Answer { frames, stalls, .. } => {
            let frames = futures_util::stream::iter(frames).then(move |(silence, frame)| {
                let wire = wire.clone();
                async move {
                    sleep(silence).await;
                    wire.pause().await;
                    frame
                }
            });
            match stalls {
                true => Ok(frames.chain(futures_util::stream::pending()).boxed()),
                false => Ok(frames.boxed()),
            }
        }
    }
}

/// What the tokenizer makes of the input, and how long the answer turns out.
fn usage(world: &World, demand: &Demand, limits: &ModelLimits) -> TokenUsage {
    let dice = &world.dice;
    let input = if dice.chance(100) { demand.input } else { dice.within(0..=demand.input) };
    if limits.embeds() {
        return TokenUsage { uncached: input, ..TokenUsage::NONE };
    }
    let cache_read = if dice.chance(300) { dice.within(0..=input) } else { 0 };
    let most = demand.output.saturating_mul(u64::from(demand.choices));
    let output = if dice.chance(150) { most } else { dice.within(0..=most.min(60)) };
    let overrun = world.plan.overruns && dice.chance(300);
    let output = if overrun { most + dice.within(1..=2_000) } else { output };
    // Every choice says something.
    let output = output.max(u64::from(demand.choices));
    let image = demand.images * limits.image_tokens_max.map_or(0, |most| dice.within(0..=most));
    let reasoning = dice.within(0..=output);
    TokenUsage { uncached: input - cache_read, cache_read, image, output, reasoning, ..TokenUsage::NONE }
}

/// An answer of a few pieces, complete unless a fault says otherwise.
fn answer(world: &World, demand: &Demand, usage: TokenUsage, fault: Option<Fault>) -> Act {
    let dice = &world.dice;
    let (first, pace) = match world.is_calm() {
        true => (100, 10),
        false => (dice.pick(&[100, 100, 100, 600, 4_000]), dice.pick(&[0, 10, 200, 1_500, 9_000])),
    };
    let first = dice.millis(0..=first);
    let mut frames: Vec<Frame> = Vec::new();
    if fault == Some(Fault::Preamble) {
        frames.extend((0..300).map(|_| (Duration::ZERO, Ok(Chunk::default()))));
    }
    // A token stands for at most 128 bytes.
    let written = u64::from(demand.choices) * demand.mark.len() as u64;
    let pieces = dice.within(1..=5).min(usage.output * 128 / written.max(1)).max(1);
    for piece in 0..pieces {
        let silence = if piece == 0 { first } else { dice.millis(0..=pace) };
        let rest = if piece + 1 == pieces { usage.output } else { 0 };
        frames.push((silence, Ok(piece_of(demand, rest))));
    }
    let breaks_at = match fault {
        Some(Fault::StallAtOnce) => 0,
        Some(Fault::ErrorAfter | Fault::BreakOff | Fault::EndEarly | Fault::Stall) => {
            1 + dice.index(frames.len())
        }
        _ => frames.len(),
    };
    let is_whole = breaks_at == frames.len() && matches!(fault, None | Some(Fault::Preamble));
    frames.truncate(breaks_at);
    let reported = if is_whole { finish(world, demand, usage, &mut frames) } else { None };
    match fault {
        Some(Fault::ErrorAfter) => frames.push((first, Err(overloaded()))),
        Some(Fault::BreakOff) => frames.push((first, Err(AttemptError::Broken("reset".to_owned())))),
        _ => {}
    }
    let stalls = matches!(fault, Some(Fault::StallAtOnce | Fault::Stall))
        || (is_whole && !world.is_calm() && dice.chance(20));
    Act::Answer { usage, frames, stalls, reported }
}

/// One piece of every choice. A token has at least one byte, so the text has as many as tokens.
fn piece_of(demand: &Demand, tokens: u64) -> Chunk {
    let padding = usize::try_from(tokens).unwrap_or(0).saturating_sub(demand.mark.len());
    let text = format!("{}{}", demand.mark, "x".repeat(padding));
    let delta = |choice| Delta { choice, content: Some(text.clone()), ..Delta::default() };
    Chunk { deltas: (0..demand.choices).map(delta).collect(), ..Chunk::default() }
}

/// The end of an answer, and what it says of the usage: mostly the truth, at the end. Returns that.
fn finish(world: &World, demand: &Demand, usage: TokenUsage, frames: &mut Vec<Frame>) -> Option<TokenUsage> {
    let dice = &world.dice;
    let reason = if dice.chance(800) { FinishReason::Stop } else { FinishReason::Length };
    let delta = |choice| Delta { choice, finish: Some(reason.clone()), ..Delta::default() };
    let mut last = Chunk { deltas: (0..demand.choices).map(delta).collect(), ..Chunk::default() };
    let early = TokenUsage { output: 0, reasoning: 0, ..usage };
    let said = if world.plan.overruns && dice.chance(200) { misreport(world, usage) } else { usage };
    let report = |usage| Chunk { usage: Some(usage), ..Chunk::default() };
    let (told, early_too, apart) = (dice.chance(800), dice.chance(200), dice.chance(500));
    if let (true, Some((_, Ok(first)))) = (early_too, frames.first_mut()) {
        first.usage = Some(early);
    }
    if told && !apart {
        last.usage = Some(said);
    }
    frames.push((Duration::ZERO, Ok(last)));
    if told && apart {
        frames.push((dice.millis(0..=dice.pick(&[5, 5, 3_000])), Ok(report(said))));
    }
    told.then_some(said)
}

/// Other tokens than it bills.
fn misreport(world: &World, usage: TokenUsage) -> TokenUsage {
    let output = world.dice.within(0..=2 * usage.output.max(1));
    TokenUsage { output, reasoning: usage.reasoning.min(output), ..usage }
}

fn status(status: u16, message: String, retry_after: Option<Duration>) -> AttemptError {
    AttemptError::Status { status, message, code: None, retry_after }
}

/// How providers tell an overload inside a 200.
fn overloaded() -> AttemptError {
    AttemptError::InStream { message: "overloaded".to_owned(), code: None }
}
