//! The prompt form, `POST /v1/chat`: one prompt in, text out, streamed unless asked otherwise.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::canonical::{ChatRequest, Delta, Message, Role};
use super::dialect::{Dialect, Renderer, ReplyHead, Summary};
use super::error::ErrorReport;
use super::fields::{BadRequest, Fields};
use super::inbound::Inbound;
use super::openai::options;
use super::sse;

const FIELDS: &[&str] =
    &["prompt", "model", "userId", "stream", "promptId", "variables", "sessionId", "responseFormat"];

/// Reads the body of `POST /v1/chat`.
///
/// # Errors
/// [`BadRequest`] naming the field; fields that do not exist are refused with the nearest that does.
pub fn read(body: Map<String, Value>) -> Result<Inbound, BadRequest> {
    let mut fields = Fields::new(body);
    if let Some(id) = fields.string("promptId")? {
        return Err(BadRequest::new("promptId", format!("prompt {id:?} does not exist")));
    }
    if fields.object("variables")?.is_some() {
        return Err(BadRequest::new("variables", "variables need a promptId"));
    }
    let session = fields.string("sessionId")?;
    let prompt = fields.required_string("prompt")?;
    let request = ChatRequest {
        messages: vec![Message::text(Role::User, prompt)],
        choices: 1,
        user: fields.string("userId")?,
        response_format: options::response_format(&mut fields, "responseFormat")?,
        ..ChatRequest::default()
    };
    let model = fields.string("model")?;
    let stream = fields.boolean("stream")?;
    match fields.rest().keys().next() {
        None => Ok(Inbound { model, stream, session, request, ..Inbound::default() }),
        Some(unknown) => Err(unknown_field(unknown)),
    }
}

fn unknown_field(name: &str) -> BadRequest {
    let nearest = FIELDS.iter().min_by_key(|known| strsim::levenshtein(known, name));
    let hint = nearest
        .filter(|known| strsim::levenshtein(known, name) <= 3)
        .map(|known| format!("; did you mean {known}?"));
    BadRequest::new(name, format!("unknown field {name:?}{}", hint.unwrap_or_default()))
}

/// The prompt form's stream: text, then one `done`. A refusal is text like any other.
#[derive(Debug, Default)]
pub(super) struct Stream {
    head: Option<ReplyHead>,
}

impl Renderer for Stream {
    fn start(&mut self, head: ReplyHead) -> String {
        self.head = Some(head);
        String::new()
    }

    fn delta(&mut self, delta: &Delta) -> String {
        let texts = [&delta.content, &delta.refusal].into_iter().flatten();
        match texts.map(String::as_str).collect::<String>() {
            text if text.is_empty() || delta.choice > 0 => String::new(),
            text => sse::event(&json!({ "delta": text }).to_string()),
        }
    }

    fn end(&mut self, summary: &Summary) -> String {
        let facts = self.head.as_ref().map(|head| facts(head, summary)).unwrap_or_default();
        sse::named_event("done", &Value::Object(facts).to_string())
    }

    fn error(&mut self, report: &ErrorReport) -> String {
        sse::named_event("error", &report.body(Dialect::Seed).to_string())
    }
}

pub(super) fn whole(head: &ReplyHead, answer: &Answer, summary: &Summary) -> String {
    let texts = answer.choices.first().into_iter().flat_map(|choice| [&choice.content, &choice.refusal]);
    let text: String = texts.flatten().map(String::as_str).collect();
    let mut body = facts(head, summary);
    body.insert("response".into(), json!(text));
    Value::Object(body).to_string()
}

fn facts(head: &ReplyHead, summary: &Summary) -> Map<String, Value> {
    let usage = &summary.usage;
    let facts = json!({
        "source": if head.from_cache { "cache" } else { "model" },
        "model": head.served_by,
        "usage": { "inputTokens": usage.input(), "outputTokens": usage.output, "totalTokens": usage.total() },
        "costUsd": summary.cost,
        "requestId": head.request_id,
    });
    match facts {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: Value) -> Result<Inbound, BadRequest> {
        read(body.as_object().cloned().expect("an object"))
    }

    #[test]
    fn a_prompt_becomes_one_user_message() {
        let inbound = parse(json!({"prompt": "hi", "userId": "u", "stream": false})).expect("valid");
        assert_eq!(inbound.request.messages, [Message::text(Role::User, "hi")]);
        assert_eq!(
            (inbound.model, inbound.stream, inbound.request.user.as_deref()),
            (None, Some(false), Some("u"))
        );
    }

    #[test]
    fn each_fault_names_its_field() {
        let cases = [
            (json!({}), "prompt"),
            (json!({"prompt": ""}), "prompt"),
            (json!({"prompt": ["a"]}), "prompt"),
            (json!({"prompt": "a", "stream": 1}), "stream"),
            (json!({"prompt": "a", "promptId": "greeting"}), "promptId"),
            (json!({"prompt": "a", "variables": {}}), "variables"),
            (json!({"prompt": "a", "userid": "u"}), "userid"),
        ];
        for (body, param) in cases {
            assert_eq!(parse(body.clone()).expect_err(param).param, param, "{body}");
        }
        assert!(
            parse(json!({"prompt": "a", "userid": "u"})).expect_err("misspelt").message.contains("userId")
        );
    }
}
