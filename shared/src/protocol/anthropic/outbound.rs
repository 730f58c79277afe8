//! Writes the canonical request for a provider that speaks Messages.

use serde_json::{Map, Value, json};

use super::{thinking, turns};
use crate::protocol::canonical::{ChatRequest, Family, JsonSchema, ResponseFormat, Tool, ToolChoice};
use crate::protocol::claude::Claude;
use crate::protocol::forced_tool::{self, ForcedTool};
use crate::protocol::schema::{close, parameters};

const BETA: &str = "anthropic-beta";

/// The body of the upstream call. It always streams and states the output limit that the hold was
/// computed with.
pub fn body(request: &ChatRequest, model: &str, max_output_tokens: u64) -> Value {
    let claude = Claude::named(model);
    let mut out = Map::new();
    if request.family == Family::Anthropic {
        out.extend(request.extra.clone());
        out.extend(request.unlisted.clone());
        // It is a header.
        out.remove(BETA);
    }
    let conversation = turns::write_all(request, claude);
    out.insert("model".into(), json!(model));
    out.insert("messages".into(), Value::Array(conversation.messages));
    out.insert("max_tokens".into(), json!(max_output_tokens));
    out.insert("stream".into(), json!(true));
    if !request.stop.is_empty() {
        out.insert("stop_sequences".into(), json!(request.stop));
    }
    let told = thinking::told(request, claude, max_output_tokens);
    let (tools, tool_choice) = tools(request, model);
    let sampling = &request.sampling;
    let optional = [
        ("system", conversation.system),
        ("tools", tools),
        ("tool_choice", tool_choice),
        ("thinking", told.thinking),
        ("temperature", unless_default(sampling.temperature.as_ref(), claude)),
        ("top_p", unless_default(sampling.top_p.as_ref(), claude)),
        ("top_k", sampling.top_k.clone()),
    ];
    out.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    put_inside(&mut out, "metadata", "user_id", request.user.clone().map(Value::String));
    put_inside(&mut out, "output_config", "effort", told.effort.map(Value::String));
    put_inside(&mut out, "output_config", "format", format(request, model));
    Value::Object(out)
}

/// The betas that the caller asks for, by name.
pub fn betas(request: &ChatRequest) -> Vec<&str> {
    if request.family != Family::Anthropic {
        return Vec::new();
    }
    let lists = [request.extra.get(BETA), request.unlisted.get(BETA)];
    lists.into_iter().flatten().filter_map(Value::as_array).flatten().filter_map(Value::as_str).collect()
}

fn put_inside(out: &mut Map<String, Value>, outer: &str, inner: &str, value: Option<Value>) {
    let Some(value) = value else { return };
    match out.get_mut(outer).and_then(Value::as_object_mut) {
        Some(object) => drop(object.insert(inner.to_owned(), value)),
        None => drop(out.insert(outer.to_owned(), json!({ inner: value }))),
    }
}

/// A Claude samples at 1 by itself, and the newest refuse to be told anything of it.
fn unless_default(value: Option<&Value>, claude: Claude) -> Option<Value> {
    value.filter(|value| !claude.is_claude() || value.as_f64() != Some(1.0)).cloned()
}

/// `tools` and `tool_choice`. A list of allowed tools is kept by describing no other.
fn tools(request: &ChatRequest, model: &str) -> (Option<Value>, Option<Value>) {
    if forced_tool::is_needed(request, model)
        && let Some(tool) = request.response_format.as_ref().and_then(ForcedTool::of)
    {
        let choice = json!({ "type": "tool", "name": forced_tool::NAME, "disable_parallel_tool_use": true });
        return (Some(json!([write_forced(&tool)])), Some(choice));
    }
    let is_sent = |tool: &&Tool| match &request.tool_choice {
        Some(ToolChoice::Allowed { names, .. }) => names.contains(&tool.name),
        _ => true,
    };
    let own = request.family == Family::Anthropic;
    let tools: Vec<Value> = request.tools.iter().filter(is_sent).map(|tool| write_tool(tool, own)).collect();
    let choice = tool_choice(request, !tools.is_empty());
    ((!tools.is_empty()).then_some(Value::Array(tools)), choice)
}

fn write_forced(tool: &ForcedTool) -> Value {
    json!({ "name": forced_tool::NAME, "description": tool.description, "input_schema": parameters(Some(&tool.schema)) })
}

fn write_tool(tool: &Tool, own: bool) -> Value {
    let mut out = if own { tool.extra.clone() } else { Map::new() };
    let members = [
        ("name", Some(json!(tool.name))),
        ("description", tool.description.clone().map(Value::String)),
        ("input_schema", Some(parameters(tool.parameters.as_ref()))),
        ("strict", tool.strict.filter(|strict| *strict).map(Value::Bool)),
        ("cache_control", tool.cache.map(turns::write_cache)),
    ];
    out.extend(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Value::Object(out)
}

/// Without tools there is nothing to choose from, unless the caller insists on a call: then the
/// vendor says what is wrong.
fn tool_choice(request: &ChatRequest, has_tools: bool) -> Option<Value> {
    let one_at_a_time = request.parallel_tool_calls.map(|parallel| !parallel);
    let mut choice = match &request.tool_choice {
        Some(ToolChoice::None) => return has_tools.then(|| json!({ "type": "none" })),
        Some(ToolChoice::Tool(name)) => json!({ "type": "tool", "name": name }),
        Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => json!({ "type": "any" }),
        _ if !has_tools => return None,
        Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => json!({ "type": "auto" }),
        // Only a choice has the member that forbids parallel calls.
        None if one_at_a_time == Some(true) => json!({ "type": "auto" }),
        None => return None,
    };
    if let Some(disabled) = one_at_a_time {
        choice["disable_parallel_tool_use"] = json!(disabled);
    }
    Some(choice)
}

fn format(request: &ChatRequest, model: &str) -> Option<Value> {
    let Some(ResponseFormat::JsonSchema(JsonSchema { schema, .. })) = &request.response_format else {
        return None;
    };
    if forced_tool::is_needed(request, model) {
        return None;
    }
    let mut schema = schema.clone();
    if request.family != Family::Anthropic {
        close(&mut schema);
    }
    Some(json!({ "type": "json_schema", "schema": schema }))
}

#[cfg(test)]
mod tests;
