//! Sampling, tools and formats: what chat completions and Responses share, and how each is
//! written back.

use serde_json::{Map, Value, json};

use super::field_list::STANDARD_TIERS;
use crate::protocol::canonical::{
    CacheTtl, JsonSchema, ResponseFormat, Sampling, Tool, ToolCall, ToolChoice,
};
use crate::protocol::fields::{BadRequest, Fields};

const TOOLS_MAX: usize = 512;
/// Reasoning efforts of any vendor; which of them a model knows is for its provider to say.
const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

pub(in crate::protocol) fn sampling(fields: &mut Fields) -> Result<Sampling, BadRequest> {
    let seed = fields.value("seed");
    if seed.as_ref().is_some_and(|seed| !seed.is_i64() && !seed.is_u64()) {
        return Err(BadRequest::new("seed", "seed must be a whole number"));
    }
    Ok(Sampling {
        temperature: fields.number("temperature", 0.0, 2.0)?,
        top_p: fields.number("top_p", 0.0, 1.0)?,
        top_k: None,
        presence_penalty: fields.number("presence_penalty", -2.0, 2.0)?,
        frequency_penalty: fields.number("frequency_penalty", -2.0, 2.0)?,
        seed,
    })
}

/// Takes `service_tier`, which may name only what is billed at the standard rate.
pub(in crate::protocol) fn standard_tier(fields: &mut Fields) -> Result<(), BadRequest> {
    match fields.string("service_tier")? {
        Some(tier) if !STANDARD_TIERS.contains(&tier.as_str()) => Err(BadRequest::new(
            "service_tier",
            "service_tier must be \"default\" or \"auto\": other tiers have no price here",
        )),
        Some(_) | None => Ok(()),
    }
}

/// The tools, each read by `read` at its path.
pub(in crate::protocol) fn tools(
    fields: &mut Fields,
    read: impl Fn(Value, &str) -> Result<Tool, BadRequest>,
) -> Result<Vec<Tool>, BadRequest> {
    let path = fields.path("tools");
    let tools = fields.array("tools")?.unwrap_or_default();
    if tools.len() > TOOLS_MAX {
        return Err(BadRequest::new(&path, format!("{path} may hold at most {TOOLS_MAX} entries")));
    }
    tools.into_iter().enumerate().map(|(index, tool)| read(tool, &format!("{path}[{index}]"))).collect()
}

/// `{"type": "function", "function": {...}}`.
pub(super) fn read_tool(tool: Value, path: &str) -> Result<Tool, BadRequest> {
    let mut tool = Fields::at(tool, path)?;
    only_functions(&mut tool)?;
    let cache = cache_control(&mut tool)?;
    let function = tool.required("function")?;
    let function = Fields::at(function, &tool.path("function"))?;
    Ok(Tool { cache, ..read_function(function)? })
}

/// A function's own members: of `function` in chat completions, of the tool itself in Responses.
pub(in crate::protocol) fn read_function(mut function: Fields) -> Result<Tool, BadRequest> {
    Ok(Tool {
        name: function.required_string("name")?,
        description: function.string("description")?,
        parameters: function.object("parameters")?.map(Value::Object),
        strict: function.boolean("strict")?,
        cache: None,
        extra: function.rest(),
    })
}

pub(in crate::protocol) fn only_functions(tool: &mut Fields) -> Result<(), BadRequest> {
    match tool.required_string("type")?.as_str() {
        "function" => Ok(()),
        kind => Err(BadRequest::new(
            tool.path("type"),
            format!("{} must be \"function\": {kind:?} tools have no price here", tool.path("type")),
        )),
    }
}

/// `{"type": "ephemeral", "ttl": "5m" | "1h"}`, Anthropic's cache point; in OpenAI's dialects the
/// extension that other gateways accept too.
pub(in crate::protocol) fn cache_control(fields: &mut Fields) -> Result<Option<CacheTtl>, BadRequest> {
    let Some(control) = fields.object("cache_control")? else {
        return Ok(None);
    };
    let mut control = Fields::at(Value::Object(control), &fields.path("cache_control"))?;
    let wrong = |path: String, expected: &str| BadRequest::new(&path, format!("{path} must be {expected}"));
    if control.required_string("type")? != "ephemeral" {
        return Err(wrong(control.path("type"), "\"ephemeral\""));
    }
    match control.string("ttl")?.as_deref() {
        None | Some("5m") => Ok(Some(CacheTtl::FiveMinutes)),
        Some("1h") => Ok(Some(CacheTtl::OneHour)),
        Some(_) => Err(wrong(control.path("ttl"), "\"5m\" or \"1h\"")),
    }
}

pub(in crate::protocol) fn reasoning_effort(
    fields: &mut Fields,
    name: &str,
) -> Result<Option<String>, BadRequest> {
    let effort = fields.string(name)?;
    match effort {
        Some(effort) if !EFFORTS.contains(&effort.as_str()) => {
            let path = fields.path(name);
            let known = EFFORTS.join(", ");
            Err(BadRequest::new(&path, format!("{path} must be one of {known}, got {effort:?}")))
        }
        effort => Ok(effort),
    }
}

/// A mode as a string, or an object that names a tool or a list of tools. `name_at` finds the name
/// in an object of type `function`.
pub(in crate::protocol) fn tool_choice(
    fields: &mut Fields,
    name_at: fn(&Value) -> Option<&str>,
) -> Result<Option<ToolChoice>, BadRequest> {
    let path = fields.path("tool_choice");
    let Some(choice) = fields.value("tool_choice") else {
        return Ok(None);
    };
    let wrong = || {
        BadRequest::new(
            &path,
            format!("{path} must be \"none\", \"auto\", \"required\" or an object that names functions"),
        )
    };
    let read = match &choice {
        Value::String(mode) => match mode.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" => ToolChoice::Required,
            _ => return Err(wrong()),
        },
        object if object["type"] == "function" => {
            ToolChoice::Tool(name_at(object).ok_or_else(wrong)?.to_owned())
        }
        object if object["type"] == "allowed_tools" => {
            let allowed = object.get("allowed_tools").unwrap_or(object);
            let tools = allowed["tools"].as_array().ok_or_else(wrong)?;
            let names: Option<Vec<String>> =
                tools.iter().map(|tool| name_at(tool).map(str::to_owned)).collect();
            ToolChoice::Allowed { required: allowed["mode"] == "required", names: names.ok_or_else(wrong)? }
        }
        _ => return Err(wrong()),
    };
    Ok(Some(read))
}

/// `{"type": "text" | "json_object" | "json_schema", "json_schema": {...}}`.
pub(in crate::protocol) fn response_format(
    fields: &mut Fields,
    name: &str,
) -> Result<Option<ResponseFormat>, BadRequest> {
    let Some(format) = fields.object(name)? else {
        return Ok(None);
    };
    let mut format = Fields::at(Value::Object(format), &fields.path(name))?;
    match format.required_string("type")?.as_str() {
        "json_schema" => {
            let schema = format.required("json_schema")?;
            let schema = Fields::at(schema, &format.path("json_schema"))?;
            json_schema(schema).map(|schema| Some(ResponseFormat::JsonSchema(schema)))
        }
        other => plain_format(other, &format).map(Some),
    }
}

pub(in crate::protocol) fn plain_format(kind: &str, format: &Fields) -> Result<ResponseFormat, BadRequest> {
    match kind {
        "text" => Ok(ResponseFormat::Text),
        "json_object" => Ok(ResponseFormat::JsonObject),
        other => {
            let path = format.path("type");
            let expected = "\"text\", \"json_object\" or \"json_schema\"";
            Err(BadRequest::new(&path, format!("{path} must be {expected}, got {other:?}")))
        }
    }
}

pub(in crate::protocol) fn json_schema(mut fields: Fields) -> Result<JsonSchema, BadRequest> {
    Ok(JsonSchema {
        name: fields.required_string("name")?,
        description: fields.string("description")?,
        schema: fields.object("schema")?.map_or_else(|| json!({}), Value::Object),
        strict: fields.boolean("strict")?,
    })
}

/// A tool as chat completions write it.
pub fn write_tool(tool: &Tool) -> Value {
    json!({ "type": "function", "function": write_function(tool) })
}

pub(in crate::protocol) fn write_function(tool: &Tool) -> Map<String, Value> {
    let mut function = tool.extra.clone();
    function.insert("name".into(), json!(tool.name));
    let optional = [
        ("description", tool.description.clone().map(Value::String)),
        ("parameters", tool.parameters.clone()),
        ("strict", tool.strict.map(Value::Bool)),
    ];
    function.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    function
}

pub(super) fn write_tool_choice(choice: &ToolChoice) -> Value {
    let function = |name: &String| json!({ "type": "function", "function": { "name": name } });
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!("required"),
        ToolChoice::Tool(name) => function(name),
        ToolChoice::Allowed { required, names } => json!({
            "type": "allowed_tools",
            "allowed_tools": {
                "mode": if *required { "required" } else { "auto" },
                "tools": names.iter().map(function).collect::<Vec<_>>(),
            },
        }),
    }
}

pub(super) fn write_response_format(format: &ResponseFormat) -> Value {
    match format {
        ResponseFormat::Text => json!({ "type": "text" }),
        ResponseFormat::JsonObject => json!({ "type": "json_object" }),
        ResponseFormat::JsonSchema(schema) => {
            json!({ "type": "json_schema", "json_schema": write_json_schema(schema) })
        }
    }
}

pub(in crate::protocol) fn write_json_schema(schema: &JsonSchema) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("name".into(), json!(schema.name));
    out.insert("schema".into(), schema.schema.clone());
    let optional = [
        ("description", schema.description.clone().map(Value::String)),
        ("strict", schema.strict.map(Value::Bool)),
    ];
    out.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    out
}

/// One call in the shape shared by requests and plain answers. Google's seal on the thought behind
/// a call travels where Google itself puts it.
pub(super) fn write_tool_call(call: &ToolCall) -> Value {
    let mut out = json!({
        "id": call.id, "type": "function", "function": { "name": call.name, "arguments": call.arguments },
    });
    if let Some(signature) = &call.signature {
        out["extra_content"] = json!({ "google": { "thought_signature": signature } });
    }
    out
}
