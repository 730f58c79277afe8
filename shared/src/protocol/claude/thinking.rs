//! What Anthropic's API and Bedrock agree on about a Claude that thinks.

use crate::protocol::canonical::{Message, Reasoning, Role};

/// The smallest budget there is, in tokens.
pub const BUDGET_MIN: u64 = 1024;

/// Budgets for the efforts, in tokens; a quarter of the output is left for the answer. They are
/// ours: the vendor publishes none.
pub fn budget_for(effort: &str, max_output_tokens: u64) -> u64 {
    let budget: u64 = match effort {
        "minimal" => BUDGET_MIN,
        "low" => 2048,
        "medium" => 8192,
        "high" => 16_384,
        "xhigh" => 32_768,
        _ => 65_536,
    };
    budget.min(max_output_tokens / 4 * 3)
}

/// The budget inside an output limit; none where less than the smallest is left.
pub fn within(budget: u64, max_output_tokens: u64) -> Option<u64> {
    Some(budget.min(max_output_tokens.saturating_sub(1))).filter(|budget| *budget >= BUDGET_MIN)
}

/// How much of the thinking is shown. OpenAI's words for a summary all ask for one.
pub fn display(reasoning: &Reasoning) -> Option<&'static str> {
    match reasoning.summary.as_deref()? {
        "omitted" => Some("omitted"),
        _ => Some("summarized"),
    }
}

/// Whether a model with budgets may think: it refuses to think on in a turn that it did not begin
/// with thinking, such as one that another vendor's model began. The assistant's turn under way, if
/// there is one, lasts from what the user said last through every call of a tool.
pub fn may_go_on(messages: &[Message]) -> bool {
    let under_way = messages.rsplit(|message| message.role == Role::User).next().unwrap_or(messages);
    let mut said = under_way.iter().filter(|message| message.role == Role::Assistant);
    let calls = said.clone().any(|message| !message.tool_calls.is_empty());
    let is_sealed = |message: &Message| {
        message.reasoning.iter().any(|block| block.signature.is_some() || block.redacted.is_some())
    };
    !calls || said.next().is_some_and(is_sealed)
}
