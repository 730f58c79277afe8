//! The dialects of both sides, under the names that snapshots give them.

use shared::protocol::canonical::ChatRequest;
use shared::protocol::dialect::Dialect;
use shared::protocol::outbound::{Flavour, Outbound};
use shared::protocol::{anthropic, bedrock, openai};

/// How callers ask, with the folder of their requests.
pub(crate) const INBOUND: &[(&str, Dialect)] = &[
    ("chat", Dialect::OpenAi),
    ("responses", Dialect::Responses),
    ("messages", Dialect::Anthropic),
    ("prompt", Dialect::Seed),
];

/// What a request can be written for: a provider's dialect and a model.
pub(crate) const TARGETS: &[Target] = &[
    target("openai official", Outbound::OpenAi(Flavour::Official), "gpt-4o"),
    target("openai google", Outbound::OpenAi(Flavour::Google), "gemini-2.5-flash"),
    target("openai compatible", Outbound::OpenAi(Flavour::Compatible), "qwen3-32b"),
    target("anthropic", Outbound::Anthropic, "claude-sonnet-4-5"),
    target("anthropic", Outbound::Anthropic, "claude-3-5-sonnet"),
    target("anthropic", Outbound::Anthropic, "claude-opus-4-8"),
    target("bedrock", Outbound::Bedrock, "anthropic.claude-sonnet-4-5-20250929-v1:0"),
    target("bedrock", Outbound::Bedrock, "us.meta.llama3-3-70b-instruct-v1:0"),
];

pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) outbound: Outbound,
    pub(crate) model: &'static str,
}

const fn target(name: &'static str, outbound: Outbound, model: &'static str) -> Target {
    Target { name, outbound, model }
}

/// The output limit where the caller names none: what a model or its price allows.
const OUTPUT_TOKENS: u64 = 8192;

impl Target {
    /// The body of the upstream call.
    pub(crate) fn body(&self, request: &ChatRequest) -> serde_json::Value {
        let most = request.max_output_tokens.unwrap_or(OUTPUT_TOKENS);
        match self.outbound {
            Outbound::OpenAi(flavour) => openai::outbound::body(request, self.model, most, flavour),
            Outbound::Anthropic => anthropic::outbound::body(request, self.model, most),
            Outbound::Bedrock => bedrock::outbound::body(request, self.model, most),
        }
    }
}
