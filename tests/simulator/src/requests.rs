//! What callers ask. Each request has dice of its own, so that fewer of them ask the same.

use std::time::Duration;

use shared::app::idempotent::IdempotencyKey;
use shared::protocol::canonical::{ChatRequest, Content, Message, Part, Role};
use shared::protocol::embeddings::openai::Inbound as EmbedInbound;
use shared::protocol::embeddings::{EmbedRequest, Input};
use shared::protocol::inbound::Inbound;

use super::callers::Caller;
use super::dice::Dice;
use super::plan::Plan;
use super::tariff::UNPRICED;

/// One request, from the moment it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub after: Duration,
    /// Which of the callers, and through which instance.
    pub caller: usize,
    pub instance: usize,
    pub body: Body,
    pub idempotency: Option<IdempotencyKey>,
    pub no_cache: bool,
    /// The time that the function has for it.
    pub lifetime: Duration,
    /// When the caller leaves, if they do not wait for the end.
    pub leaves: Option<Duration>,
    /// The time the caller takes for each frame.
    pub reads: Duration,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Chat(Box<Inbound>),
    Embed(EmbedInbound),
}

impl Ask {
    /// Request `number` of a world.
    pub(crate) fn draw(plan: &Plan, number: usize, callers: &[Caller]) -> Self {
        let dice = Dice::new(plan.seed, 1 + number as u64);
        let caller = dice.index(callers.len());
        let rush = u64::try_from(plan.rush.as_millis()).unwrap_or(u64::MAX);
        let body =
            if dice.chance(150) { embed(&dice, &callers[caller]) } else { chat(&dice, &callers[caller]) };
        let idempotency = dice.chance(200).then(|| idempotency(&dice, &body));
        Ask {
            after: dice.millis(0..=rush),
            caller,
            instance: dice.index(plan.instances),
            body,
            idempotency,
            no_cache: dice.chance(300),
            lifetime: Duration::from_secs(dice.pick(&[10, 30, 120, 900])),
            leaves: dice.chance(plan.faults.leave).then(|| dice.millis(0..=3_000)),
            reads: if dice.chance(50) { dice.millis(1..=3_000) } else { Duration::ZERO },
        }
    }

    /// The least that can be asked, at once and by one who waits.
    pub(crate) fn least(caller: usize, callers: &[Caller]) -> Self {
        let message = Message::text(Role::User, "?");
        let request = ChatRequest {
            messages: vec![message],
            choices: 1,
            max_output_tokens: Some(1),
            user: callers[caller].user.clone(),
            ..ChatRequest::default()
        };
        let inbound = Inbound { model: Some("demo/a".to_owned()), request, ..Inbound::default() };
        Ask {
            after: Duration::ZERO,
            caller,
            instance: 0,
            body: Body::Chat(Box::new(inbound)),
            idempotency: None,
            no_cache: true,
            lifetime: Duration::from_secs(60),
            leaves: None,
            reads: Duration::ZERO,
        }
    }
}

fn chat(dice: &Dice, caller: &Caller) -> Body {
    let model = match dice.within(0..=99) {
        0..40 => "demo/a",
        40..60 => "demo/b",
        60..75 => "demo/thinks",
        75..85 => "demo/sees",
        85..94 => "demo/free",
        94..97 => "demo/vectors",
        _ => UNPRICED,
    };
    let mut messages = vec![Message::text(Role::System, "be brief")];
    // Few texts, so that the cache has something to answer.
    let length = dice.pick(&[1, 8, 8, 8, 200, 1_200]);
    messages.push(Message::text(Role::User, dice.pick(&["a", "b", "c"]).repeat(length)));
    if model == "demo/sees" && dice.chance(700) {
        let image = || Part::Image { url: "https://example.com/a.png".to_owned(), detail: None, cache: None };
        let images = (0..=dice.index(3)).map(|_| image()).collect();
        messages.push(Message::new(Role::User, Content::Parts(images)));
    }
    let request = ChatRequest {
        messages,
        choices: if dice.chance(150) { dice.within(2..=3) } else { 1 },
        max_output_tokens: dice.chance(700).then(|| dice.pick(&[1, 20, 300, 9_000])),
        user: caller.user.clone(),
        ..ChatRequest::default()
    };
    let stream = dice.pick(&[Some(true), Some(true), Some(false), None]);
    Body::Chat(Box::new(Inbound { model: Some(model.to_owned()), stream, request, ..Inbound::default() }))
}

fn embed(dice: &Dice, caller: &Caller) -> Body {
    let input = |_| match dice.chance(700) {
        true => Input::Text("text ".repeat(1 + dice.index(30))),
        false => Input::Tokens(vec![7; 1 + dice.index(50)]),
    };
    let inputs = (0..=dice.index(4)).map(input).collect();
    let request = EmbedRequest { inputs, user: caller.user.clone(), ..EmbedRequest::default() };
    Body::Embed(EmbedInbound { model: "demo/vectors".to_owned(), request })
}

/// One of few keys, mostly for the same body.
fn idempotency(dice: &Dice, body: &Body) -> IdempotencyKey {
    let route = if matches!(body, Body::Chat(_)) { "chat" } else { "embed" };
    let key = format!("{route}-{}", dice.index(4));
    let body = if dice.chance(900) { "a body" } else { "another body" };
    IdempotencyKey::new(&key, route, body.as_bytes()).expect("a plain key")
}
