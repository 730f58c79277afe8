//! Takes a request apart into what shapes its answer, for the cache.

use serde_json::{Map, Value, json};
use unicode_normalization::UnicodeNormalization;

use super::canonical::{ChatRequest, Content, Message, Part, Role};
use super::openai::options;
use super::{anthropic, openai};

/// Everything that shapes the answer, apart from who asks and which model is meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// System and developer messages, each with its place in the conversation.
    pub system: Value,
    /// Every other message but the last of the user.
    pub history: Value,
    /// Everything that is passed on and has no place of its own here.
    pub parameters: Value,
    pub tools: Value,
    pub format: Value,
    /// What the last user message holds beside its text, and where its text stands.
    pub attachments: Value,
    /// The text of the last user message, in NFC and trimmed; empty where it has none or several.
    pub text: String,
    /// The same as the caller wrote it, where the request ends with it: what near questions may be
    /// told from.
    pub question: Option<String>,
}

/// Takes `request` apart. Two requests with the same parts ask for the same answer.
pub fn parts(request: &ChatRequest) -> Parts {
    let messages = &request.messages;
    let last = messages.iter().rposition(|message| message.role == Role::User);
    let asked = last.map(|at| &messages[at]);
    let text = asked.and_then(only_text);
    let ends_with_it = last.is_some_and(|at| at + 1 == messages.len());
    let (mut system, mut before, mut after) = (Vec::new(), Vec::new(), Vec::new());
    for (at, message) in messages.iter().enumerate().filter(|(at, _)| Some(*at) != last) {
        let material = message_material(message, &str::to_owned);
        match message.role {
            Role::System | Role::Developer => system.push(json!([at, material])),
            Role::User | Role::Assistant | Role::Tool if last.is_some_and(|last| at < last) => {
                before.push(material);
            }
            Role::User | Role::Assistant | Role::Tool => after.push(material),
        }
    }
    Parts {
        system: Value::Array(system),
        history: json!({ "before": before, "after": after }),
        parameters: parameters(request),
        tools: json!([
            request.tools.iter().map(options::write_tool).collect::<Vec<_>>(),
            request.tool_choice,
            request.parallel_tool_calls,
        ]),
        format: json!(request.response_format),
        attachments: asked.map_or(Value::Null, |asked| match text {
            // What the text says is no part of it.
            Some(_) => message_material(asked, &|_| String::new()),
            None => message_material(asked, &normalised),
        }),
        text: text.map(normalised).unwrap_or_default(),
        question: text.filter(|text| ends_with_it && !text.trim().is_empty()).map(str::to_owned),
    }
}

/// In NFC and trimmed.
fn normalised(text: &str) -> String {
    text.nfc().collect::<String>().trim().to_owned()
}

/// The text of a message that has exactly one.
fn only_text(message: &Message) -> Option<&str> {
    match &message.content {
        Content::None => None,
        Content::Text(text) => Some(text),
        Content::Parts(parts) => {
            let mut texts = parts.iter().filter_map(Part::as_text);
            texts.next().filter(|_| texts.next().is_none())
        }
    }
}

fn parameters(request: &ChatRequest) -> Value {
    let extra: Map<String, Value> = request
        .extra
        .iter()
        .filter(|(name, _)| shapes_the_answer(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    // The families have extra fields of their own, and do not mean the same by an effort.
    let is_shared = extra.is_empty() && request.unlisted.is_empty() && request.reasoning.is_none();
    let family = if is_shared { None } else { Some(format!("{:?}", request.family)) };
    json!({
        "sampling": request.sampling,
        "stop": request.stop,
        "choices": request.choices,
        "max_output_tokens": request.max_output_tokens,
        "reasoning": request.reasoning,
        "family": family,
        "extra": extra,
        "unlisted": request.unlisted,
    })
}

fn shapes_the_answer(extra: &str) -> bool {
    let others = [openai::field_list::NOT_IN_CACHE_KEY, anthropic::field_list::NOT_IN_CACHE_KEY];
    !others.iter().any(|names| names.contains(&extra))
}

fn message_material(message: &Message, text: &impl Fn(&str) -> String) -> Value {
    let content = match &message.content {
        Content::None => Value::Null,
        Content::Text(said) => json!(text(said)),
        Content::Parts(parts) => parts.iter().map(|part| part_material(part, text)).collect(),
    };
    json!([
        message.role,
        message.reasoning,
        content,
        message.tool_calls,
        message.tool_call_id,
        message.tool_failed,
        message.extra,
    ])
}

fn part_material(part: &Part, text: &impl Fn(&str) -> String) -> Value {
    match part {
        Part::Text { text: said, extra, .. } => json!(["text", text(said), extra]),
        Part::Image { url, detail, .. } => json!(["image", url, detail]),
        Part::Refusal { text: said } => json!(["refusal", text(said)]),
    }
}

#[cfg(test)]
mod tests;
