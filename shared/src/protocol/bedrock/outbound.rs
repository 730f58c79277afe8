//! Writes the canonical request for ConverseStream.

use serde_json::{Map, Value, json};

use super::message::Writer;
use super::thinking::Thinking;
use super::tools;
use crate::protocol::canonical::{ChatRequest, JsonSchema, ResponseFormat};
use crate::protocol::claude::Claude;
use crate::protocol::forced_tool::{self, ForcedTool};
use crate::protocol::schema::close;

/// The body of the upstream call, with the output limit that the hold was computed with. `model` is
/// the name that tells what the model can do.
pub fn body(request: &ChatRequest, model: &str, max_output_tokens: u64) -> Value {
    let claude = Claude::named(model);
    let writer = Writer::of(model);
    let thinking = Thinking::of(request, claude, max_output_tokens);
    let forced = forced_tool(request, model);
    let mut out = Map::new();
    out.insert("messages".to_owned(), writer.turns(&request.messages).into());
    out.insert("inferenceConfig".to_owned(), inference(request, claude, max_output_tokens));
    let system = writer.system(&request.messages);
    let format = if forced.is_some() { None } else { text_format(request) };
    let optional = [
        ("system", (!system.is_empty()).then(|| system.into())),
        ("toolConfig", tools::config(request, model, forced.as_ref())),
        ("outputConfig", object([("textFormat", format), ("effort", thinking.effort.map(Value::from))])),
        ("additionalModelRequestFields", own_fields(request, claude, thinking.field)),
        // The stop reason alone does not say which of the sequences it was.
        ("additionalModelResponseFieldPaths", (!request.stop.is_empty()).then(|| json!(["/stop_sequence"]))),
    ];
    for (name, value) in optional {
        out.extend(value.map(|value| (name.to_owned(), value)));
    }
    Value::Object(out)
}

/// The tool that the model must be made to call for the format of its answer; none where the format
/// can be stated, which is for every model but older Claudes, and for nothing but a schema.
pub fn forced_tool(request: &ChatRequest, model: &str) -> Option<ForcedTool> {
    let must = Claude::named(model).is_claude() && forced_tool::is_needed(request, model);
    request.response_format.as_ref().filter(|_| must).and_then(ForcedTool::of)
}

fn inference(request: &ChatRequest, claude: Claude, max_output_tokens: u64) -> Value {
    let mut config = json!({ "maxTokens": max_output_tokens });
    let sampling = &request.sampling;
    // A Claude samples at 1 by itself, and newer ones refuse to be told of temperature and top_p both.
    let is_told = |value: &&Value| !claude.is_claude() || value.as_f64() != Some(1.0);
    for (name, value) in [("temperature", &sampling.temperature), ("topP", &sampling.top_p)] {
        if let Some(value) = value.as_ref().filter(is_told) {
            config[name] = value.clone();
        }
    }
    if !request.stop.is_empty() {
        config["stopSequences"] = json!(request.stop);
    }
    config
}

/// What Converse has no name for and Claude has.
fn own_fields(request: &ChatRequest, claude: Claude, thinking: Option<Value>) -> Option<Value> {
    let top_k = request.sampling.top_k.clone().filter(|_| claude.is_claude());
    object([("top_k", top_k), ("thinking", thinking)])
}

fn text_format(request: &ChatRequest) -> Option<Value> {
    let Some(ResponseFormat::JsonSchema(JsonSchema { name, description, schema, .. })) =
        &request.response_format
    else {
        return None;
    };
    let mut schema = schema.clone();
    close(&mut schema);
    let schema = object([
        ("schema", Some(json!(schema.to_string()))),
        ("name", Some(json!(name))),
        ("description", description.as_ref().map(|text| json!(text))),
    ]);
    Some(json!({ "type": "json_schema", "structure": { "jsonSchema": schema } }))
}

/// The members that are there; none where none is.
fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Option<Value> {
    let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let object: Map<String, Value> = given.collect();
    (!object.is_empty()).then_some(Value::Object(object))
}

#[cfg(test)]
mod tests;
