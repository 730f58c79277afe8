//! Reads a Responses request into the canonical one.

use serde_json::{Map, Value, json};

use super::field_list::{
    INCLUDABLE, LOGPROBS, METADATA_PAIRS_MAX, PASSED, STORED, SUMMARIES, TOP_LOGPROBS_MAX,
};
use super::{echo, input};
use crate::protocol::canonical::{ChatRequest, Family, Reasoning, ResponseFormat, Tool, ToolChoice};
use crate::protocol::fields::{BadRequest, Fields, kind};
use crate::protocol::inbound::Inbound;
use crate::protocol::openai::options;
use crate::protocol::openai::request::OUTPUT_TOKENS_MAX;

/// Reads the body of `POST /v1/responses`.
///
/// # Errors
/// [`BadRequest`] naming the field.
pub(in crate::protocol) fn read(body: Map<String, Value>) -> Result<Inbound, BadRequest> {
    let echo = echo::of(&body);
    let mut fields = Fields::new(body);
    refuse_stored(&mut fields)?;
    refuse_unserved(&mut fields)?;
    // The reply cannot be fetched later either way; what it says is only kept to be referred to.
    let may_refer = fields.boolean("store")?.unwrap_or(true);
    let model = fields.required_string("model")?;
    let stream = stream(&mut fields)?;
    let messages = input::read(&mut fields)?;
    let mut extra = Map::new();
    let response_format = text(&mut fields, &mut extra)?;
    logprobs(&mut fields, &mut extra)?;
    metadata(&mut fields)?;
    extra.extend(PASSED.iter().filter_map(|name| Some(((*name).to_owned(), fields.value(name)?))));
    let tools = options::tools(&mut fields, tool)?;
    let (tool_choice, parallel_tool_calls) = calling(&mut fields, &tools)?;
    let request = ChatRequest {
        messages,
        tools,
        tool_choice,
        parallel_tool_calls,
        response_format,
        sampling: options::sampling(&mut fields)?,
        choices: 1,
        max_output_tokens: fields.whole("max_output_tokens", 1, OUTPUT_TOKENS_MAX)?,
        reasoning: reasoning(&mut fields)?,
        user: fields.string("user")?,
        family: Family::OpenAi,
        extra,
        unlisted: fields.rest(),
        ..ChatRequest::default()
    };
    let (model, include_usage) = (Some(model), true);
    Ok(Inbound { model, stream, include_usage, request, echo, may_refer, ..Inbound::default() })
}

fn refuse_stored(fields: &mut Fields) -> Result<(), BadRequest> {
    for (name, instead) in STORED {
        if fields.value(name).is_some() {
            let text = format!("{name} is not supported, because nothing is stored here: {instead}");
            return Err(BadRequest::new(*name, text));
        }
    }
    if fields.boolean("background")? == Some(true) {
        let text = "background must be false: an answer that nobody waits for could not be fetched later";
        return Err(BadRequest::new("background", text));
    }
    Ok(())
}

/// What would be billed otherwise, and what would have to be done here and is not.
fn refuse_unserved(fields: &mut Fields) -> Result<(), BadRequest> {
    options::standard_tier(fields)?;
    // It bounds hosted tools, and none of those is served.
    fields.whole("max_tool_calls", 1, u64::MAX)?;
    if fields.string("truncation")?.is_some_and(|truncation| truncation != "disabled") {
        let text = "truncation must be \"disabled\": nothing is cut from the input here";
        return Err(BadRequest::new("truncation", text));
    }
    Ok(())
}

fn stream(fields: &mut Fields) -> Result<Option<bool>, BadRequest> {
    let stream = fields.boolean("stream")?;
    let Some(options) = fields.object("stream_options")? else {
        return Ok(stream);
    };
    if stream != Some(true) {
        return Err(BadRequest::new("stream_options", "stream_options is only allowed when stream is true"));
    }
    let mut options = Fields::at(Value::Object(options), "stream_options")?;
    // Padding against those who listen to the size of packets; there is none, asked for or not.
    options.boolean("include_obfuscation")?;
    options.nothing_else()?;
    Ok(stream)
}

fn text(fields: &mut Fields, extra: &mut Map<String, Value>) -> Result<Option<ResponseFormat>, BadRequest> {
    let Some(text) = fields.object("text")? else {
        return Ok(None);
    };
    let mut text = Fields::at(Value::Object(text), "text")?;
    extra.extend(text.string("verbosity")?.map(|verbosity| ("verbosity".to_owned(), json!(verbosity))));
    let format = text.value("format").map(format).transpose()?;
    text.nothing_else()?;
    Ok(format)
}

fn format(format: Value) -> Result<ResponseFormat, BadRequest> {
    let mut format = Fields::at(format, "text.format")?;
    match format.required_string("type")?.as_str() {
        "json_schema" => options::json_schema(format).map(ResponseFormat::JsonSchema),
        other => options::plain_format(other, &format),
    }
}

fn tool(tool: Value, path: &str) -> Result<Tool, BadRequest> {
    let mut tool = Fields::at(tool, path)?;
    options::only_functions(&mut tool)?;
    let cache = options::cache_control(&mut tool)?;
    Ok(Tool { cache, ..options::read_function(tool)? })
}

/// How tools are called. Chat completions take neither field without tools, so a choice that
/// changes nothing then is left out.
fn calling(fields: &mut Fields, tools: &[Tool]) -> Result<(Option<ToolChoice>, Option<bool>), BadRequest> {
    let choice = options::tool_choice(fields, |tool| tool["name"].as_str())?;
    let parallel = fields.boolean("parallel_tool_calls")?;
    match (&choice, tools.is_empty()) {
        (_, false) => Ok((choice, parallel)),
        (None | Some(ToolChoice::Auto | ToolChoice::None), true) => Ok((None, None)),
        (Some(_), true) => {
            Err(BadRequest::new("tool_choice", "tool_choice asks for a tool, and tools names none"))
        }
    }
}

fn reasoning(fields: &mut Fields) -> Result<Option<Reasoning>, BadRequest> {
    let Some(reasoning) = fields.object("reasoning")? else {
        return Ok(None);
    };
    let mut reasoning = Fields::at(Value::Object(reasoning), "reasoning")?;
    let effort = options::reasoning_effort(&mut reasoning, "effort")?;
    let summary = reasoning.string("summary")?;
    if summary.as_deref().is_some_and(|summary| !SUMMARIES.contains(&summary)) {
        let known = SUMMARIES.join(", ");
        return Err(BadRequest::new(
            "reasoning.summary",
            format!("reasoning.summary must be one of {known}"),
        ));
    }
    reasoning.nothing_else()?;
    let asked = effort.is_some() || summary.is_some();
    Ok(asked.then_some(Reasoning { effort, thinking: None, summary }))
}

/// Log probabilities are asked for by a number or by `include`.
fn logprobs(fields: &mut Fields, extra: &mut Map<String, Value>) -> Result<(), BadRequest> {
    let included = include(fields)?;
    let top = fields.whole("top_logprobs", 0, TOP_LOGPROBS_MAX)?.filter(|top| *top > 0);
    if included || top.is_some() {
        extra.insert("logprobs".to_owned(), json!(true));
    }
    extra.extend(top.map(|top| ("top_logprobs".to_owned(), json!(top))));
    Ok(())
}

/// Whether the reply is to include log probabilities.
fn include(fields: &mut Fields) -> Result<bool, BadRequest> {
    let include = fields.array("include")?.unwrap_or_default();
    let is_known = |value: &Value| value.as_str().is_some_and(|name| INCLUDABLE.contains(&name));
    if let Some(index) = include.iter().position(|value| !is_known(value)) {
        let path = format!("include[{index}]");
        return Err(BadRequest::new(&path, format!("{path} must be one of {}", INCLUDABLE.join(", "))));
    }
    Ok(include.iter().any(|value| value == LOGPROBS))
}

/// Labels for what OpenAI would store. The reply repeats them; chat completions take them only
/// together with `store`.
fn metadata(fields: &mut Fields) -> Result<(), BadRequest> {
    let metadata = fields.object("metadata")?.unwrap_or_default();
    if metadata.len() > METADATA_PAIRS_MAX {
        return Err(BadRequest::new(
            "metadata",
            format!("metadata may hold at most {METADATA_PAIRS_MAX} pairs"),
        ));
    }
    match metadata.iter().find(|(_, value)| !value.is_string()) {
        None => Ok(()),
        Some((name, value)) => {
            let path = format!("metadata.{name}");
            Err(BadRequest::new(&path, format!("{path} must be a string, got {}", kind(value))))
        }
    }
}

#[cfg(test)]
mod tests;
