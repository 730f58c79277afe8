//! Reads a Messages request into the canonical one.

use serde_json::{Map, Value};

use super::{message, neutral, options};
use crate::protocol::canonical::{ChatRequest, Family};
use crate::protocol::fields::{BadRequest, Fields};
use crate::protocol::inbound::Inbound;
use crate::protocol::openai::options::tools;
use crate::protocol::openai::request::OUTPUT_TOKENS_MAX;

/// Stop sequences a caller may name.
const STOPS_MAX: usize = 64;

/// Reads the body of `POST /v1/messages`.
///
/// # Errors
/// [`BadRequest`] naming the field.
pub fn read(body: Map<String, Value>) -> Result<Inbound, BadRequest> {
    let inbound = read_question(body)?;
    match inbound.request.max_output_tokens {
        Some(_) => Ok(inbound),
        None => Err(BadRequest::new("max_tokens", "max_tokens is required")),
    }
}

/// Reads a request that need not say how long its answer may be.
pub(super) fn read_question(body: Map<String, Value>) -> Result<Inbound, BadRequest> {
    let mut fields = Fields::new(body);
    neutral::refuse_unpriced(&mut fields)?;
    let model = fields.required_string("model")?;
    let stream = fields.boolean("stream")?;
    let max_output_tokens = fields.whole("max_tokens", 1, OUTPUT_TOKENS_MAX)?;
    let mut messages: Vec<_> = message::read_system(&mut fields)?.into_iter().collect();
    messages.extend(message::read_all(&mut fields)?);
    let [mut extra, mut unlisted] = neutral::read(&mut fields)?;
    let output = options::output_config(&mut fields)?;
    let (reasoning, thinking) = options::reasoning(&mut fields, output.effort, max_output_tokens)?;
    extra.extend(thinking.map(|thinking| ("thinking".to_owned(), thinking)));
    let (user, metadata) = metadata(&mut fields)?;
    let (tool_choice, parallel_tool_calls) = options::tool_choice(&mut fields)?;
    let request = ChatRequest {
        messages,
        tools: tools(&mut fields, options::read_tool)?,
        tool_choice,
        parallel_tool_calls,
        response_format: output.format,
        sampling: options::sampling(&mut fields)?,
        stop: stop_sequences(&mut fields)?,
        choices: 1,
        max_output_tokens,
        reasoning,
        user,
        family: Family::Anthropic,
        extra,
        unlisted: Map::new(),
    };
    let rests = [("output_config", output.rest), ("metadata", metadata)];
    let rests = rests.into_iter().filter(|(_, rest)| !rest.is_empty());
    unlisted.extend(rests.map(|(name, rest)| (name.to_owned(), Value::Object(rest))));
    unlisted.extend(options::present(fields));
    let request = ChatRequest { unlisted, ..request };
    Ok(Inbound { model: Some(model), stream, request, ..Inbound::default() })
}

/// The end user, and whatever else the metadata hold.
fn metadata(fields: &mut Fields) -> Result<(Option<String>, Map<String, Value>), BadRequest> {
    let metadata = fields.object("metadata")?.unwrap_or_default();
    let mut metadata = Fields::at(Value::Object(metadata), "metadata")?;
    Ok((metadata.string("user_id")?, options::present(metadata)))
}

fn stop_sequences(fields: &mut Fields) -> Result<Vec<String>, BadRequest> {
    const NAME: &str = "stop_sequences";
    let sequences = fields.array(NAME)?.unwrap_or_default();
    if sequences.len() > STOPS_MAX {
        return Err(BadRequest::new(NAME, format!("{NAME} may hold at most {STOPS_MAX} entries")));
    }
    let text = |(index, sequence): (usize, Value)| match sequence {
        Value::String(text) if !text.is_empty() => Ok(text),
        _ => {
            let path = format!("{NAME}[{index}]");
            Err(BadRequest::new(&path, format!("{path} must be a string that is not empty")))
        }
    };
    sequences.into_iter().enumerate().map(text).collect()
}

#[cfg(test)]
mod tests;
