//! Reads what the caller asks of the answer: tools, thinking, effort and format.

use serde_json::{Map, Value};

use crate::protocol::canonical::{
    JsonSchema, Reasoning, ResponseFormat, Sampling, Thinking, Tool, ToolChoice,
};
use crate::protocol::claude::thinking::BUDGET_MIN;
use crate::protocol::fields::{BadRequest, Fields};
use crate::protocol::openai::options::cache_control;

const EFFORTS: &[&str] = &["low", "medium", "high", "xhigh", "max"];
const DISPLAYS: &[&str] = &["summarized", "omitted"];
/// What a format is called where it must have a name; Messages gives it none.
const FORMAT_NAME: &str = "answer";

pub(super) fn sampling(fields: &mut Fields) -> Result<Sampling, BadRequest> {
    let top_k = fields.whole("top_k", 0, u64::from(u32::MAX))?;
    Ok(Sampling {
        temperature: fields.number("temperature", 0.0, 1.0)?,
        top_p: fields.number("top_p", 0.0, 1.0)?,
        top_k: top_k.map(Value::from),
        ..Sampling::default()
    })
}

/// A tool of the caller's own; those that run at the provider, or whose form it prescribes, have
/// a `type`.
pub(super) fn read_tool(tool: Value, path: &str) -> Result<Tool, BadRequest> {
    let mut tool = Fields::at(tool, path)?;
    if let Some(kind) = tool.string("type")?.filter(|kind| kind != "custom") {
        let path = tool.path("type");
        let text = format!(
            "{path} must be \"custom\": {kind:?} has no price here; describe a tool with input_schema"
        );
        return Err(BadRequest::new(path, text));
    }
    Ok(Tool {
        name: tool.required_string("name")?,
        description: tool.string("description")?,
        parameters: Some(Value::Object(required_object(&mut tool, "input_schema")?)),
        strict: tool.boolean("strict")?,
        cache: cache_control(&mut tool)?,
        extra: tool.rest().into_iter().filter(|(_, value)| !value.is_null()).collect(),
    })
}

pub(super) fn required_object(fields: &mut Fields, name: &str) -> Result<Map<String, Value>, BadRequest> {
    fields.object(name)?.ok_or_else(|| {
        let path = fields.path(name);
        BadRequest::new(&path, format!("{path} is required"))
    })
}

/// The choice, and whether several tools may be called at once.
pub(super) fn tool_choice(fields: &mut Fields) -> Result<(Option<ToolChoice>, Option<bool>), BadRequest> {
    let Some(choice) = fields.object("tool_choice")? else {
        return Ok((None, None));
    };
    let mut choice = Fields::at(Value::Object(choice), &fields.path("tool_choice"))?;
    let read = match choice.required_string("type")?.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Tool(choice.required_string("name")?),
        other => return Err(one_of(&choice.path("type"), &["auto", "any", "tool", "none"], other)),
    };
    let parallel = choice.boolean("disable_parallel_tool_use")?.map(|disabled| !disabled);
    nothing_else(choice)?;
    Ok((Some(read), parallel))
}

/// What `output_config` and its predecessor say; what is left of it is unlisted.
#[derive(Debug, Default)]
pub(super) struct OutputConfig {
    pub effort: Option<String>,
    pub format: Option<ResponseFormat>,
    pub rest: Map<String, Value>,
}

pub(super) fn output_config(fields: &mut Fields) -> Result<OutputConfig, BadRequest> {
    let old = format(fields, "output_format")?;
    let Some(config) = fields.object("output_config")? else {
        return Ok(OutputConfig { format: old, ..OutputConfig::default() });
    };
    let mut config = Fields::at(Value::Object(config), "output_config")?;
    let new = format(&mut config, "format")?;
    if old.is_some() && new.is_some() {
        return Err(BadRequest::new("output_format", "give output_config.format or output_format, not both"));
    }
    let effort = config.string("effort")?;
    if let Some(word) = effort.as_deref().filter(|word| !EFFORTS.contains(word)) {
        return Err(one_of(&config.path("effort"), EFFORTS, word));
    }
    Ok(OutputConfig { effort, format: new.or(old), rest: present(config) })
}

fn format(fields: &mut Fields, name: &str) -> Result<Option<ResponseFormat>, BadRequest> {
    let Some(format) = fields.object(name)? else {
        return Ok(None);
    };
    let mut format = Fields::at(Value::Object(format), &fields.path(name))?;
    let kind = format.required_string("type")?;
    if kind != "json_schema" {
        return Err(one_of(&format.path("type"), &["json_schema"], &kind));
    }
    let schema = Value::Object(required_object(&mut format, "schema")?);
    nothing_else(format)?;
    // Anthropic holds its models to the schema, so others must be as well.
    let schema = JsonSchema { name: FORMAT_NAME.to_owned(), description: None, schema, strict: Some(true) };
    Ok(Some(ResponseFormat::JsonSchema(schema)))
}

/// `thinking` and the effort as one; none when nothing was said of either. Thinking between tools
/// only has no canonical form and is the second value as it stands.
pub(super) fn reasoning(
    fields: &mut Fields,
    effort: Option<String>,
    max_output_tokens: Option<u64>,
) -> Result<(Option<Reasoning>, Option<Value>), BadRequest> {
    let Some(object) = fields.object("thinking")? else {
        let effort = effort.map(|effort| Reasoning { effort: Some(effort), ..Reasoning::default() });
        return Ok((effort, None));
    };
    let raw = Value::Object(object.clone());
    let mut config = Fields::at(Value::Object(object), "thinking")?;
    let thinking = match config.required_string("type")?.as_str() {
        "enabled" => Some(Thinking::Budget(budget(&mut config, max_output_tokens)?)),
        "adaptive" => Some(Thinking::Adaptive),
        "disabled" => Some(Thinking::Disabled),
        "between_tools" => None,
        other => {
            let known = ["enabled", "adaptive", "between_tools", "disabled"];
            return Err(one_of(&config.path("type"), &known, other));
        }
    };
    let summary = config.string("display")?;
    if let Some(word) = summary.as_deref().filter(|word| !DISPLAYS.contains(word)) {
        return Err(one_of(&config.path("display"), DISPLAYS, word));
    }
    nothing_else(config)?;
    let raw = thinking.is_none().then_some(raw);
    let reasoning = Reasoning { effort, thinking, summary };
    Ok(((reasoning != Reasoning::default()).then_some(reasoning), raw))
}

fn budget(config: &mut Fields, max_output_tokens: Option<u64>) -> Result<u64, BadRequest> {
    let path = config.path("budget_tokens");
    let budget = config.whole("budget_tokens", BUDGET_MIN, u64::MAX)?;
    let budget = budget.ok_or_else(|| BadRequest::new(&path, format!("{path} is required")))?;
    match max_output_tokens {
        Some(most) if budget >= most => Err(BadRequest::new(
            &path,
            format!("{path} must be less than max_tokens, which is {most}: thinking is part of the output"),
        )),
        _ => Ok(budget),
    }
}

/// Refuses members that nobody took: a block has no place to keep them.
pub(super) fn nothing_else(fields: Fields) -> Result<(), BadRequest> {
    let path = fields.path("");
    match present(fields).into_iter().next() {
        None => Ok(()),
        Some((name, _)) => {
            let path = format!("{path}{name}");
            Err(BadRequest::new(&path, format!("{path} is not a known field")))
        }
    }
}

/// What nobody took, apart from nulls.
pub(super) fn present(fields: Fields) -> Map<String, Value> {
    fields.rest().into_iter().filter(|(_, value)| !value.is_null()).collect()
}

pub(super) fn one_of(path: &str, known: &[&str], got: &str) -> BadRequest {
    BadRequest::new(path, format!("{path} must be one of {}, got {got:?}", known.join(", ")))
}
