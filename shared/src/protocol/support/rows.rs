//! The rows of the table.

use serde_json::Value;

use super::Fate::{self, NoEffect, Refuse, Translate, Unless};
use crate::protocol::canonical::{
    ChatRequest, Family, Message, Part, ReasoningBlock, ResponseFormat, Role, Thinking, Tool, ToolChoice,
};
use crate::protocol::claude::{Claude, ThinkingStyle};
use crate::protocol::data_url::{DataUrl, IMAGE_TYPES};
use crate::protocol::forced_tool;
use crate::protocol::outbound::Outbound;

/// One row: when a request has the parameter, and its fate by `[openai, anthropic, bedrock]`.
#[derive(Debug)]
pub struct Parameter {
    /// As the caller writes it, in chat completions where both families have it.
    pub name: &'static str,
    given: Given,
    pub fates: [Fate; 3],
}

/// When a request has a parameter.
#[derive(Debug)]
enum Given {
    When(fn(&ChatRequest) -> bool),
    /// When it is among the listed fields without a canonical meaning.
    Extra,
}

impl Parameter {
    pub fn is_given(&self, request: &ChatRequest) -> bool {
        match self.given {
            Given::When(is_given) => is_given(request),
            Given::Extra => request.extra.contains_key(self.name),
        }
    }

    pub fn fate(&self, outbound: Outbound) -> Fate {
        match outbound {
            Outbound::OpenAi(_) => self.fates[0],
            Outbound::Anthropic => self.fates[1],
            Outbound::Bedrock => self.fates[2],
        }
    }
}

const fn row(name: &'static str, is_given: fn(&ChatRequest) -> bool, fates: [Fate; 3]) -> Parameter {
    Parameter { name, given: Given::When(is_given), fates }
}

const fn extra(name: &'static str, fates: [Fate; 3]) -> Parameter {
    Parameter { name, given: Given::Extra, fates }
}

const UNKNOWN: Fate = Refuse("the provider knows nothing like it");
const NOT_SHAPING: Fate = NoEffect("it labels or stores the request and does not shape the answer");
const OBJECTS_TO_TEMPERATURE: &str =
    "it is above 1, or other than 1 beside reasoning or on a Claude since 4.7";
const OBJECTS_TO_TOP_P: &str = "it is other than 1 on a Claude since 4.7 or beside a temperature on one since 4.1, or below 0.95 beside reasoning";
const ONLY_SYSTEM: &str = "nobody but the system says anything visible";
const OWN_REASONING: &str = "a model reads only the reasoning of its own vendor";

/// Every parameter, in the order of the documentation.
pub static PARAMETERS: &[Parameter] = &[
    row(
        "messages",
        |_| true,
        [
            Unless("none of them says anything", |request, _| {
                request.messages.iter().all(Message::is_silent)
            }),
            Unless(ONLY_SYSTEM, |request, _| !request.messages.iter().any(Message::takes_a_turn)),
            Unless(ONLY_SYSTEM, |request, _| !request.messages.iter().any(Message::takes_a_turn)),
        ],
    ),
    row(
        "messages[].name",
        |request| request.messages.iter().any(has_extra),
        [
            Unless("the request came as Messages", |request, _| request.family != Family::OpenAi),
            UNKNOWN,
            UNKNOWN,
        ],
    ),
    row(
        "messages[].tool_calls[].function.arguments",
        |request| request.messages.iter().any(|message| !message.tool_calls.is_empty()),
        [
            Translate,
            Unless("they are no JSON object", has_broken_arguments),
            Unless("they are no JSON object", has_broken_arguments),
        ],
    ),
    row(
        "messages[].content[] (other members)",
        |request| request.messages.iter().flat_map(Message::parts).any(says_more),
        [
            Unless("the request came as Messages", |request, _| request.family != Family::OpenAi),
            Unless("the request did not come as Messages", |request, _| request.family != Family::Anthropic),
            UNKNOWN,
        ],
    ),
    row(
        "messages[].content[].image_url",
        |request| request.messages.iter().flat_map(Message::parts).any(Part::is_image),
        [
            Translate,
            Unless("a data: URL is not base64 of a JPEG, PNG, GIF or WebP", |request, _| {
                images(request).any(|url| url.starts_with("data:") && !is_embedded_image(url))
            }),
            Unless("it is not a data: URL of a JPEG, PNG, GIF or WebP", |request, _| {
                images(request).any(|url| !is_embedded_image(url))
            }),
        ],
    ),
    row(
        "messages[].content[].image_url.detail",
        |request| details(request).next().is_some(),
        [Translate, NoEffect("images have one resolution"), NoEffect("images have one resolution")],
    ),
    row(
        "messages[].reasoning_content",
        |request| reasoning(request).next().is_some(),
        [NoEffect(OWN_REASONING), Translate, Translate],
    ),
    row(
        "messages[].content[].cache_control",
        ChatRequest::has_cache_points,
        [NoEffect("prompts are cached without being asked"), Translate, Translate],
    ),
    row(
        "messages[].content[].is_error",
        |request| request.messages.iter().any(|message| message.tool_failed),
        [NoEffect("the tool's result says how it failed"), Translate, Translate],
    ),
    row("tools", |request| !request.tools.is_empty(), [Translate; 3]),
    row(
        "tools[].strict",
        |request| request.tools.iter().any(|tool| tool.strict.is_some()),
        [
            Translate,
            Unless("it is true and the model is a Claude before 4.5", is_stricter_than_the_model),
            Unless("it is true and the model is a Claude before 4.5", is_stricter_than_the_model),
        ],
    ),
    row(
        "tools[] (other members)",
        |request| request.tools.iter().any(has_more),
        [
            Unless("the request came as Messages", |request, _| request.family != Family::OpenAi),
            Unless("the request did not come as Messages", |request, _| request.family != Family::Anthropic),
            UNKNOWN,
        ],
    ),
    row(
        "tool_choice",
        |request| request.tool_choice.is_some(),
        [
            Translate,
            Unless("it forces a call while the model thinks within a budget", forces_a_call_while_thinking),
            Unless(
                "it is none and tools were called before, or it forces a call while the model thinks within a budget",
                |request, model| {
                    let is_none = request.tool_choice == Some(ToolChoice::None);
                    is_none && request.messages.iter().any(is_about_tools)
                        || forces_a_call_while_thinking(request, model)
                },
            ),
        ],
    ),
    row(
        "parallel_tool_calls",
        |request| request.parallel_tool_calls == Some(false),
        [Translate, Translate, UNKNOWN],
    ),
    row(
        "response_format",
        |request| request.response_format.is_some(),
        [
            Translate,
            Unless("the model must be made to call a tool for it, and the request has tools or reasoning", {
                |request, model| forced_tool::is_needed(request, model) && !is_free_for_forced_tool(request)
            }),
            Unless(
                "it is json_object and the model is no Claude, or a Claude must be made to call a tool for it, and the request has tools or reasoning",
                |request, model| match Claude::named(model).is_claude() {
                    true => forced_tool::is_needed(request, model) && !is_free_for_forced_tool(request),
                    false => request.response_format == Some(ResponseFormat::JsonObject),
                },
            ),
        ],
    ),
    row("n", |request| request.choices > 1, [Translate, UNKNOWN, UNKNOWN]),
    row(
        "temperature",
        |request| request.sampling.temperature.is_some(),
        [
            Translate,
            Unless(OBJECTS_TO_TEMPERATURE, objects_to_temperature),
            Unless(OBJECTS_TO_TEMPERATURE, objects_to_temperature),
        ],
    ),
    row(
        "top_p",
        |request| request.sampling.top_p.is_some(),
        [Translate, Unless(OBJECTS_TO_TOP_P, objects_to_top_p), Unless(OBJECTS_TO_TOP_P, objects_to_top_p)],
    ),
    row(
        "top_k",
        |request| request.sampling.top_k.is_some(),
        [
            UNKNOWN,
            Unless("reasoning is asked for, or the model is a Claude since 4.7", objects_to_top_k),
            Unless("the model is no Claude or one since 4.7, or reasoning is asked for", |request, model| {
                !Claude::named(model).is_claude() || objects_to_top_k(request, model)
            }),
        ],
    ),
    row(
        "presence_penalty",
        |request| is_set(request.sampling.presence_penalty.as_ref()),
        [Translate, UNKNOWN, UNKNOWN],
    ),
    row(
        "frequency_penalty",
        |request| is_set(request.sampling.frequency_penalty.as_ref()),
        [Translate, UNKNOWN, UNKNOWN],
    ),
    row("seed", |request| request.sampling.seed.is_some(), [Translate, UNKNOWN, UNKNOWN]),
    row(
        "stop",
        |request| !request.stop.is_empty(),
        [
            Unless("it has more than 4 sequences", |request, _| request.stop.len() > 4),
            Translate,
            Unless("it has more than 4 sequences and the model is no Claude", |request, model| {
                request.stop.len() > 4 && !Claude::named(model).is_claude()
            }),
        ],
    ),
    row("max_completion_tokens", |request| request.max_output_tokens.is_some(), [Translate; 3]),
    row(
        "reasoning_effort",
        asks_to_think,
        [
            Translate,
            Unless("the model cannot think", |_, model| {
                Claude::named(model).thinking() == ThinkingStyle::Never
            }),
            Unless("the model is no Claude that can think", |_, model| {
                let claude = Claude::named(model);
                !claude.is_claude() || claude.thinking() == ThinkingStyle::Never
            }),
        ],
    ),
    row("user", |request| request.user.is_some(), [Translate, Translate, NOT_SHAPING]),
    extra("function_call", [Translate, UNKNOWN, UNKNOWN]),
    extra("functions", [Translate, UNKNOWN, UNKNOWN]),
    extra("logit_bias", [Translate, UNKNOWN, UNKNOWN]),
    row(
        "logprobs",
        |request| request.extra.get("logprobs").is_some_and(|value| *value != Value::Bool(false)),
        [Translate, UNKNOWN, UNKNOWN],
    ),
    extra("top_logprobs", [Translate, UNKNOWN, UNKNOWN]),
    extra("verbosity", [Translate, UNKNOWN, UNKNOWN]),
    extra("metadata", [Translate, NOT_SHAPING, NOT_SHAPING]),
    extra("prompt_cache_key", [Translate, NOT_SHAPING, NOT_SHAPING]),
    extra("safety_identifier", [Translate, NOT_SHAPING, NOT_SHAPING]),
    extra("store", [Translate, NOT_SHAPING, NOT_SHAPING]),
    extra(
        "cache_control",
        [
            NoEffect("prompts are cached without being asked"),
            Translate,
            NoEffect("only what is marked is cached"),
        ],
    ),
    extra(
        "anthropic-beta",
        [NoEffect("betas are Anthropic's"), Translate, NoEffect("betas are Anthropic's")],
    ),
    extra("context_management", [UNKNOWN, Translate, UNKNOWN]),
    extra(
        "inference_geo",
        [NoEffect("global is where others answer"), Translate, NoEffect("global is where others answer")],
    ),
    extra("thinking", [UNKNOWN, Translate, UNKNOWN]),
    extra("service_tier", [NOT_SHAPING, Translate, NOT_SHAPING]),
];

/// The name that clients give the result of a tool says nothing that its call does not.
fn has_extra(message: &Message) -> bool {
    message.extra.keys().any(|name| message.role != Role::Tool || name != "name")
}

/// How finely arguments are streamed is not part of what is answered.
fn has_more(tool: &Tool) -> bool {
    tool.extra.keys().any(|name| name != "eager_input_streaming")
}

fn says_more(part: &Part) -> bool {
    matches!(part, Part::Text { extra, .. } if !extra.is_empty())
}

fn is_stricter_than_the_model(request: &ChatRequest, model: &str) -> bool {
    let claude = Claude::named(model);
    let is_old = claude.is_claude() && !claude.takes_format();
    is_old && request.tools.iter().any(|tool| tool.strict == Some(true))
}

fn is_about_tools(message: &Message) -> bool {
    message.role == Role::Tool || !message.tool_calls.is_empty()
}

fn has_broken_arguments(request: &ChatRequest, _model: &str) -> bool {
    request.messages.iter().flat_map(|message| &message.tool_calls).any(|call| call.input().is_err())
}

fn images(request: &ChatRequest) -> impl Iterator<Item = &str> {
    request.messages.iter().flat_map(Message::parts).filter_map(|part| match part {
        Part::Image { url, .. } => Some(url.as_str()),
        Part::Text { .. } | Part::Refusal { .. } => None,
    })
}

fn details(request: &ChatRequest) -> impl Iterator<Item = &str> {
    request.messages.iter().flat_map(Message::parts).filter_map(|part| match part {
        Part::Image { detail, .. } => detail.as_deref(),
        Part::Text { .. } | Part::Refusal { .. } => None,
    })
}

fn is_embedded_image(url: &str) -> bool {
    DataUrl::parse(url).is_some_and(|image| IMAGE_TYPES.contains(&image.media_type))
}

fn reasoning(request: &ChatRequest) -> impl Iterator<Item = &ReasoningBlock> {
    request.messages.iter().flat_map(|message| &message.reasoning)
}

/// A penalty of zero is none.
fn is_set(penalty: Option<&Value>) -> bool {
    penalty.is_some_and(|penalty| penalty.as_f64() != Some(0.0))
}

fn is_free_for_forced_tool(request: &ChatRequest) -> bool {
    request.tools.is_empty() && !request.messages.iter().any(is_about_tools) && !request.wants_thinking()
}

fn asks_to_think(request: &ChatRequest) -> bool {
    request.reasoning.as_ref().is_some_and(|reasoning| {
        let effort = reasoning.effort.as_deref().is_some_and(|effort| effort != "none");
        effort || matches!(reasoning.thinking, Some(Thinking::Budget(_) | Thinking::Adaptive))
    })
}

fn thinks(request: &ChatRequest, model: &str) -> bool {
    Claude::named(model).is_claude() && request.wants_thinking()
}

/// Source: Anthropic's documentation of thinking in tool workflows. Adaptive thinking may go with it.
fn forces_a_call_while_thinking(request: &ChatRequest, model: &str) -> bool {
    let is_forced = matches!(
        request.tool_choice,
        Some(ToolChoice::Required | ToolChoice::Tool(_) | ToolChoice::Allowed { required: true, .. })
    );
    is_forced && thinks(request, model) && Claude::named(model).thinking() == ThinkingStyle::Budget
}

fn objects_to_temperature(request: &ChatRequest, model: &str) -> bool {
    let is_fixed = thinks(request, model) || !Claude::named(model).takes_sampling();
    let temperature = number(request.sampling.temperature.as_ref());
    temperature.is_some_and(|temperature| temperature > 1.0 || (is_fixed && temperature != 1.0))
}

fn objects_to_top_p(request: &ChatRequest, model: &str) -> bool {
    let claude = Claude::named(model);
    let Some(top_p) = number(request.sampling.top_p.as_ref()).filter(|top_p| *top_p != 1.0) else {
        return false;
    };
    let beside = number(request.sampling.temperature.as_ref()).is_some_and(|temperature| temperature != 1.0);
    !claude.takes_sampling()
        || (beside && !claude.takes_temperature_beside_top_p())
        || (top_p < 0.95 && thinks(request, model))
}

fn objects_to_top_k(request: &ChatRequest, model: &str) -> bool {
    thinks(request, model) || !Claude::named(model).takes_sampling()
}

fn number(value: Option<&Value>) -> Option<f64> {
    value.and_then(Value::as_f64)
}
