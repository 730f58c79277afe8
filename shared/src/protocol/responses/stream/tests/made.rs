//! Answers as providers write them, and what the gateway knows of them.

use serde_json::{Map, json};

use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;
use crate::domain::usage::TokenUsage;
use crate::protocol::canonical::{Delta, FinishReason, ReasoningDelta, ToolCallDelta};
use crate::protocol::dialect::{ReplyHead, Summary};
use crate::protocol::error::ErrorReport;

pub(super) fn head() -> ReplyHead {
    ReplyHead {
        request_id: "R".to_owned(),
        model: "gpt-5".to_owned(),
        served_by: "openai/gpt-5".to_owned(),
        fingerprint: None,
        created: Timestamp::from_millis(1_000_500),
        from_cache: false,
        include_usage: true,
        choices: 1,
        usage: TokenUsage::default(),
        echo: json!({ "store": false, "tools": [] }).as_object().cloned().expect("an object"),
    }
}

pub(super) fn summary() -> Summary {
    let usage = TokenUsage { uncached: 10, output: 5, ..TokenUsage::default() };
    Summary { usage, cost: NanoUsd::ZERO, completed: Timestamp::from_millis(1_002_900), stopped: false }
}

pub(super) fn report() -> ErrorReport {
    ErrorReport {
        status: 502,
        kind: "api_error",
        code: "upstream_failed",
        message: "It broke off.".to_owned(),
        param: None,
        details: Map::new(),
        retry_after: None,
        should_retry: Some(false),
        headers: Vec::new(),
    }
}

pub(super) fn text(text: &str) -> Delta {
    Delta { content: Some(text.to_owned()), ..Delta::default() }
}

pub(super) fn refusal(text: &str) -> Delta {
    Delta { refusal: Some(text.to_owned()), ..Delta::default() }
}

pub(super) fn thinks(reasoning: ReasoningDelta) -> Delta {
    Delta { reasoning: Some(reasoning), ..Delta::default() }
}

pub(super) fn signed(seal: &str) -> Delta {
    thinks(ReasoningDelta { signature: Some(seal.to_owned()), ..ReasoningDelta::default() })
}

pub(super) fn redacted(data: &str) -> Delta {
    thinks(ReasoningDelta { redacted: Some(data.to_owned()), ..ReasoningDelta::default() })
}

pub(super) fn calls(call: ToolCallDelta) -> Delta {
    Delta { tool_calls: vec![call], ..Delta::default() }
}

pub(super) fn call(index: u32, name: &str) -> ToolCallDelta {
    let text = |prefix: &str| Some(format!("{prefix}{index}"));
    ToolCallDelta { index, id: text("c"), name: Some(name.to_owned()), ..ToolCallDelta::default() }
}

pub(super) fn arguments(index: u32, more: &str) -> Delta {
    calls(ToolCallDelta { index, arguments: more.to_owned(), ..ToolCallDelta::default() })
}

pub(super) fn finish(reason: FinishReason) -> Delta {
    Delta { finish: Some(reason), ..Delta::default() }
}
