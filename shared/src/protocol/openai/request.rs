//! Reads a chat-completions request into the canonical one.

use serde_json::{Map, Value};

use super::field_list::{NEUTRAL, REFUSED};
use super::{message, options};
use crate::protocol::answer::CHOICES_MAX;
use crate::protocol::canonical::{ChatRequest, Family, Reasoning};
use crate::protocol::fields::{BadRequest, Fields};
use crate::protocol::inbound::Inbound;

/// Output tokens a caller may name; models allow far less and the limit is lowered to theirs.
pub const OUTPUT_TOKENS_MAX: u64 = 1 << 53;

/// Reads the body of `POST /v1/chat/completions`.
///
/// # Errors
/// [`BadRequest`] naming the field.
pub fn read(body: Map<String, Value>) -> Result<Inbound, BadRequest> {
    let mut fields = Fields::new(body);
    refuse_unpriced(&mut fields)?;
    let model = fields.required_string("model")?;
    let stream = fields.boolean("stream")?;
    let include_usage = stream_options(&mut fields, stream)?;
    let messages = message::read_all(&mut fields)?;
    let max_output_tokens = output_limit(&mut fields)?;
    let request = ChatRequest {
        messages,
        tools: options::tools(&mut fields, options::read_tool)?,
        tool_choice: options::tool_choice(&mut fields, |tool| tool["function"]["name"].as_str())?,
        parallel_tool_calls: fields.boolean("parallel_tool_calls")?,
        response_format: options::response_format(&mut fields, "response_format")?,
        sampling: options::sampling(&mut fields)?,
        stop: stop(&mut fields)?,
        choices: fields.whole("n", 1, u64::from(CHOICES_MAX))?.unwrap_or(1),
        max_output_tokens,
        reasoning: options::reasoning_effort(&mut fields, "reasoning_effort")?
            .map(|effort| Reasoning { effort: Some(effort), ..Reasoning::default() }),
        family: Family::OpenAi,
        user: fields.string("user")?,
        extra: NEUTRAL.iter().filter_map(|name| Some(((*name).to_owned(), fields.value(name)?))).collect(),
        unlisted: fields.rest(),
    };
    Ok(Inbound { model: Some(model), stream, include_usage, request, ..Inbound::default() })
}

fn refuse_unpriced(fields: &mut Fields) -> Result<(), BadRequest> {
    for (name, instead) in REFUSED {
        if fields.value(name).is_some() {
            return Err(BadRequest::new(*name, format!("{name} is not supported: {instead}")));
        }
    }
    options::standard_tier(fields)?;
    let modalities = fields.array("modalities")?.unwrap_or_default();
    if modalities.iter().any(|modality| modality != "text") {
        return Err(BadRequest::new(
            "modalities",
            "modalities must be [\"text\"]: other output has no price here",
        ));
    }
    Ok(())
}

fn stream_options(fields: &mut Fields, stream: Option<bool>) -> Result<bool, BadRequest> {
    let Some(options) = fields.object("stream_options")? else {
        return Ok(false);
    };
    if stream != Some(true) {
        return Err(BadRequest::new("stream_options", "stream_options is only allowed when stream is true"));
    }
    let mut options = Fields::at(Value::Object(options), "stream_options")?;
    Ok(options.boolean("include_usage")?.unwrap_or(false))
}

fn output_limit(fields: &mut Fields) -> Result<Option<u64>, BadRequest> {
    let old = fields.whole("max_tokens", 1, OUTPUT_TOKENS_MAX)?;
    let new = fields.whole("max_completion_tokens", 1, OUTPUT_TOKENS_MAX)?;
    match (old, new) {
        (Some(_), Some(_)) => {
            Err(BadRequest::new("max_tokens", "give max_tokens or max_completion_tokens, not both"))
        }
        (old, new) => Ok(new.or(old)),
    }
}

fn stop(fields: &mut Fields) -> Result<Vec<String>, BadRequest> {
    let wrong = || BadRequest::new("stop", "stop must be a string or an array of at most 4 strings");
    match fields.value("stop") {
        None => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one]),
        Some(Value::Array(many)) if many.len() <= 4 => {
            let text = |value: Value| value.as_str().map(str::to_owned).ok_or_else(wrong);
            many.into_iter().map(text).collect()
        }
        Some(_) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::outbound;
    use super::*;
    use crate::protocol::outbound::Flavour;

    fn parse(body: Value) -> Result<Inbound, BadRequest> {
        match body {
            Value::Object(object) => read(object),
            _ => panic!("a test body is an object"),
        }
    }

    fn full() -> Value {
        json!({
            "model": "openai/gpt-4o", "temperature": 0.2, "top_p": 1, "seed": 7, "n": 2, "stop": ["a", "b"],
            "max_completion_tokens": 50, "user": "u", "reasoning_effort": "low", "logit_bias": {"5": -1}, "parallel_tool_calls": false,
            "tool_choice": {"type": "function", "function": {"name": "f"}}, "response_format": {"type": "json_object"},
            "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": true}}],
            "messages": [
                {"role": "system", "content": "s", "name": "n"},
                {"role": "user", "content": [{"type": "text", "text": "t"}, {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}}]},
                {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "c", "content": "r"}
            ]
        })
    }

    #[test]
    fn what_openai_can_say_reaches_openai_unchanged() {
        let inbound = parse(full()).expect("valid");
        let sent = outbound::body(&inbound.request, "gpt-4o", 50, Flavour::Official);
        let mut expected = full();
        expected["model"] = json!("gpt-4o");
        expected["stream"] = json!(true);
        expected["stream_options"] = json!({"include_usage": true});
        assert_eq!(sent, expected);
    }

    #[test]
    fn each_fault_names_its_field() {
        let cases = [
            (json!({"max_tokens": 0}), "max_tokens"),
            (json!({"max_tokens": -1}), "max_tokens"),
            (json!({"max_tokens": "1"}), "max_tokens"),
            (json!({"max_tokens": 1e308}), "max_tokens"),
            (json!({"max_tokens": 1, "max_completion_tokens": 1}), "max_tokens"),
            (json!({"n": 129}), "n"),
            (json!({"temperature": 2.1}), "temperature"),
            (json!({"stop": [1]}), "stop"),
            (json!({"seed": 0.5}), "seed"),
            (json!({"stream": "yes"}), "stream"),
            (json!({"stream_options": {"include_usage": true}}), "stream_options"),
            (json!({"service_tier": "priority"}), "service_tier"),
            (json!({"web_search_options": {}}), "web_search_options"),
            (json!({"modalities": ["text", "audio"]}), "modalities"),
            (json!({"tools": [{"type": "code_interpreter"}]}), "tools[0].type"),
            (json!({"tools": [{"type": "function", "function": {}}]}), "tools[0].function.name"),
            (json!({"messages": []}), "messages"),
            (json!({"messages": [{"role": "robot", "content": "x"}]}), "messages[0].role"),
            (json!({"messages": [{"role": "user"}]}), "messages[0].content"),
            (
                json!({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}),
                "messages[0].content[0].type",
            ),
            (json!({"messages": [{"role": "tool", "content": "x"}]}), "messages[0].tool_call_id"),
            (json!({"model": ""}), "model"),
        ];
        for (change, param) in cases {
            let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
            for (name, value) in change.as_object().expect("an object") {
                body[name] = value.clone();
            }
            assert_eq!(parse(body).expect_err(param).param, param, "{change}");
        }
    }

    #[test]
    fn fields_nobody_listed_are_kept_apart() {
        let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "flux": 1, "logprobs": true});
        let request = parse(body).expect("valid").request;
        assert_eq!(Value::Object(request.unlisted), json!({"flux": 1}));
        assert_eq!(Value::Object(request.extra), json!({"logprobs": true}));
    }
}
