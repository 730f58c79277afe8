//! The providers that requests are sent to: every kind, each with models of different abilities.

use serde_json::Value;
use shared::protocol::canonical::ChatRequest;
use shared::protocol::forced_tool;
use shared::protocol::frame::Decoder;
use shared::protocol::outbound::{Flavour, Outbound};
use shared::protocol::{anthropic, bedrock, openai};

/// A model behind a kind of provider.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub outbound: Outbound,
    pub model: &'static str,
}

const fn target(outbound: Outbound, model: &'static str) -> Target {
    Target { outbound, model }
}

pub const OPENAI: &[Target] = &[
    target(Outbound::OpenAi(Flavour::Official), "gpt-5.1"),
    target(Outbound::OpenAi(Flavour::Google), "gemini-2.5-flash"),
    target(Outbound::OpenAi(Flavour::Compatible), "deepseek-chat"),
];
pub const ANTHROPIC: &[Target] = &[
    target(Outbound::Anthropic, "claude-sonnet-4-5"),
    target(Outbound::Anthropic, "claude-3-5-haiku-20241022"),
    target(Outbound::Anthropic, "claude-opus-4-8"),
    target(Outbound::Anthropic, "kimi-k2"),
];
pub const BEDROCK: &[Target] = &[
    target(Outbound::Bedrock, "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    target(Outbound::Bedrock, "anthropic.claude-3-5-sonnet-20240620-v1:0"),
    target(Outbound::Bedrock, "us.anthropic.claude-opus-4-8-v1"),
    target(Outbound::Bedrock, "amazon.nova-pro-v1:0"),
    target(Outbound::Bedrock, "meta.llama3-3-70b-instruct-v1:0"),
];

impl Target {
    /// Every one of them.
    pub fn all() -> impl Iterator<Item = Target> {
        [OPENAI, ANTHROPIC, BEDROCK].concat().into_iter()
    }

    /// The body of the upstream call, as the adapters of `shared::providers` write it.
    pub fn body(&self, request: &ChatRequest, max_output_tokens: u64) -> Value {
        match self.outbound {
            Outbound::OpenAi(flavour) => {
                openai::outbound::body(request, self.model, max_output_tokens, flavour)
            }
            Outbound::Anthropic => anthropic::outbound::body(request, self.model, max_output_tokens),
            Outbound::Bedrock => bedrock::outbound::body(request, self.model, max_output_tokens),
        }
    }

    /// Whether the model is made to call a tool in place of an answer.
    pub fn is_forced(&self, request: &ChatRequest) -> bool {
        match self.outbound {
            Outbound::OpenAi(_) => false,
            Outbound::Anthropic => forced_tool::is_needed(request, self.model),
            Outbound::Bedrock => bedrock::outbound::forced_tool(request, self.model).is_some(),
        }
    }

    /// What reads the answer to `request`.
    pub fn decoder(&self, request: &ChatRequest) -> Box<dyn Decoder> {
        decoder(self.outbound, self.is_forced(request))
    }
}

pub fn decoder(outbound: Outbound, is_forced: bool) -> Box<dyn Decoder> {
    match outbound {
        Outbound::OpenAi(_) => Box::new(openai::stream::StreamDecoder::default()),
        Outbound::Anthropic => Box::new(anthropic::stream::StreamDecoder::new(is_forced)),
        Outbound::Bedrock => Box::new(bedrock::stream::StreamDecoder::new(is_forced)),
    }
}
