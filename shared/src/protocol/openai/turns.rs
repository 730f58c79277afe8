//! Writes messages in the chat-completions dialect.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::options::write_tool_call;
use crate::protocol::canonical::{Content, Message, Part, ReasoningBlock, Role, ToolCall};
use crate::protocol::outbound::Flavour;

/// What Google takes where a call was made by another vendor's model, which sealed no thought.
/// Source: ai.google.dev/gemini-api/docs/thought-signatures.
const NO_SEAL: &str = "skip_thought_signature_validator";

/// The messages as the dialect writes them, which has none without content. Tool messages take text
/// only, so the images that tools returned follow in a message of the user.
pub(super) fn write_all(messages: &[Message], flavour: Flavour) -> Vec<Value> {
    let mut out = Vec::with_capacity(messages.len());
    let mut shown: Vec<Value> = Vec::new();
    for message in joined(messages).iter().filter(|message| !message.is_silent()) {
        if message.role != Role::Tool && !shown.is_empty() {
            out.push(json!({ "role": "user", "content": std::mem::take(&mut shown) }));
        }
        out.push(write(message, flavour));
        if message.role == Role::Tool {
            shown.extend(
                message.parts().iter().filter(|part| part.is_image()).map(|part| write_part(part, flavour)),
            );
        }
    }
    if !shown.is_empty() {
        out.push(json!({ "role": "user", "content": shown }));
    }
    out
}

/// Calls must be followed by their results, so what the assistant said or called right after calls
/// joins them.
fn joined(messages: &[Message]) -> Vec<Cow<'_, Message>> {
    let mut out: Vec<Cow<'_, Message>> = Vec::with_capacity(messages.len());
    for message in messages {
        let calls = |last: &&mut Cow<'_, Message>| {
            let both_speak = last.role == Role::Assistant && message.role == Role::Assistant;
            both_speak && !last.tool_calls.is_empty()
        };
        match out.last_mut().filter(calls) {
            Some(last) => last.to_mut().append(message.clone()),
            None => out.push(Cow::Borrowed(message)),
        }
    }
    out
}

fn write(message: &Message, flavour: Flavour) -> Value {
    let mut out = message.extra.clone();
    out.insert("role".into(), json!(role(message.role, flavour)));
    let is_said = |part: &&Part| message.role != Role::Tool || !part.is_image();
    let content = match &message.content {
        Content::None => Value::Null,
        Content::Text(text) => json!(text),
        Content::Parts(parts) => {
            let said = parts.iter().filter(is_said).map(|part| write_part(part, flavour));
            match said.collect::<Vec<_>>() {
                parts if parts.is_empty() => json!(""),
                parts => json!(parts),
            }
        }
    };
    out.insert("content".into(), content);
    if !message.tool_calls.is_empty() {
        out.insert("tool_calls".into(), write_calls(&message.tool_calls, flavour).into());
    }
    if let Some(id) = &message.tool_call_id {
        out.insert("tool_call_id".into(), json!(id));
    }
    let unsealed: String = message.reasoning.iter().map(unsealed_text).collect();
    if flavour == Flavour::Compatible && !unsealed.is_empty() {
        out.insert("reasoning_content".into(), json!(unsealed));
    }
    Value::Object(out)
}

/// Only OpenAI knows the developer, who says what the system says elsewhere.
fn role(role: Role, flavour: Flavour) -> Role {
    match (role, flavour) {
        (Role::Developer, Flavour::Google | Flavour::Compatible) => Role::System,
        (role, _) => role,
    }
}

/// Servers that show their reasoning as text want it back as text; a sealed block is another's.
fn unsealed_text(block: &ReasoningBlock) -> &str {
    if block.signature.is_none() { &block.text } else { "" }
}

/// Google seals the first of several calls at least, so calls without any seal are another's.
fn write_calls(calls: &[ToolCall], flavour: Flavour) -> Vec<Value> {
    let is_sealed = calls.iter().any(|call| call.signature.is_some());
    let write = |call: &ToolCall| {
        let signature = match flavour {
            Flavour::Google if !is_sealed => Some(NO_SEAL.to_owned()),
            Flavour::Google => call.signature.clone(),
            Flavour::Official | Flavour::Compatible => None,
        };
        write_tool_call(&ToolCall { signature, ..call.clone() })
    };
    calls.iter().map(write).collect()
}

fn write_part(part: &Part, flavour: Flavour) -> Value {
    match part {
        Part::Text { text, extra, .. } => {
            let mut out: Map<String, Value> = extra.clone();
            out.insert("type".into(), json!("text"));
            out.insert("text".into(), json!(text));
            Value::Object(out)
        }
        Part::Image { url, detail, .. } => {
            let mut image = json!({ "url": url });
            if let Some(detail) = detail {
                image["detail"] = json!(detail);
            }
            json!({ "type": "image_url", "image_url": image })
        }
        Part::Refusal { text } if flavour == Flavour::Official => {
            json!({ "type": "refusal", "refusal": text })
        }
        Part::Refusal { text } => json!({ "type": "text", "text": text }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: &str, signature: Option<&str>) -> ToolCall {
        let signature = signature.map(str::to_owned);
        ToolCall { id: id.to_owned(), name: "f".to_owned(), arguments: "{}".to_owned(), signature }
    }

    fn calling(calls: Vec<ToolCall>) -> Message {
        Message { tool_calls: calls, ..Message::new(Role::Assistant, Content::None) }
    }

    fn written(messages: &[Message], flavour: Flavour) -> Value {
        Value::Array(write_all(messages, flavour))
    }

    #[test]
    fn calls_made_after_calls_join_them() {
        let result =
            |id: &str| Message { tool_call_id: Some(id.to_owned()), ..Message::text(Role::Tool, "r") };
        let said = Message::text(Role::Assistant, "and");
        let messages =
            [calling(vec![call("a", None)]), said, calling(vec![call("b", None)]), result("a"), result("b")];
        let sent = written(&messages, Flavour::Official);
        assert_eq!(sent.as_array().map(Vec::len), Some(3));
        assert_eq!(sent[0]["content"], "and");
        assert_eq!(
            (&sent[0]["tool_calls"][0]["id"], &sent[0]["tool_calls"][1]["id"]),
            (&json!("a"), &json!("b"))
        );
    }

    #[test]
    fn google_gets_its_own_seals_back_and_a_substitute_for_those_of_others() {
        let seal = |message: &Value, index: usize| {
            message["tool_calls"][index]["extra_content"]["google"]["thought_signature"].clone()
        };
        let own = written(&[calling(vec![call("a", Some("s")), call("b", None)])], Flavour::Google);
        assert_eq!((seal(&own[0], 0), seal(&own[0], 1)), (json!("s"), Value::Null));
        let others = written(&[calling(vec![call("a", None)])], Flavour::Google);
        assert_eq!(seal(&others[0], 0), NO_SEAL);
    }

    #[test]
    fn developers_and_refusals_are_openais_own() {
        let refusal = Content::Parts(vec![Part::Refusal { text: "no".to_owned() }]);
        let messages = [Message::text(Role::Developer, "d"), Message::new(Role::Assistant, refusal)];
        let official = written(&messages, Flavour::Official);
        assert_eq!(
            (&official[0]["role"], &official[1]["content"][0]["type"]),
            (&json!("developer"), &json!("refusal"))
        );
        let others = written(&messages, Flavour::Compatible);
        assert_eq!((&others[0]["role"], &others[1]["content"][0]["text"]), (&json!("system"), &json!("no")));
    }
}
