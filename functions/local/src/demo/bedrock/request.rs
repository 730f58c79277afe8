//! The Converse request.

use serde::Deserialize;
use serde_json::Value;

use crate::demo::asked::{Asked, Choice, Format, Last, Role, Tool, check_limit, check_messages, words};
use crate::demo::error::ApiError;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConverseRequest {
    messages: Vec<Message>,
    #[serde(default)]
    system: Vec<Block>,
    #[serde(default)]
    inference_config: InferenceConfig,
    #[serde(default)]
    tool_config: ToolConfig,
    output_config: Option<OutputConfig>,
}

#[derive(Deserialize)]
struct Message {
    role: Role,
    content: Vec<Block>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    text: Option<String>,
    tool_result: Option<ToolResult>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolResult {
    #[serde(rename = "toolUseId")]
    _tool_use_id: String,
    content: Vec<ResultBlock>,
}

#[derive(Deserialize)]
struct ResultBlock {
    text: Option<String>,
    json: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InferenceConfig {
    max_tokens: Option<usize>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolConfig {
    tools: Vec<ToolEntry>,
    tool_choice: Option<ToolChoice>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolEntry {
    tool_spec: Option<ToolSpec>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolSpec {
    name: String,
    input_schema: InputSchema,
}

#[derive(Deserialize)]
struct InputSchema {
    json: Value,
}

/// Unlike elsewhere there is no way to say that none may be called.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum ToolChoice {
    Auto {},
    Any {},
    Tool { name: String },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OutputConfig {
    text_format: Option<TextFormat>,
}

#[derive(Deserialize)]
struct TextFormat {
    structure: Structure,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Structure {
    json_schema: JsonSchema,
}

/// The schema is JSON inside a string.
#[derive(Deserialize)]
struct JsonSchema {
    schema: String,
}

impl ConverseRequest {
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let request: Self = serde_json::from_slice(body).map_err(|error| ApiError::malformed(&error))?;
        check_messages(&request.messages)?;
        check_limit("inferenceConfig.maxTokens", request.inference_config.max_tokens)?;
        Ok(request)
    }

    pub(super) fn asked(self, model: String, stream: bool) -> Result<Asked, ApiError> {
        let blocks = self.messages.iter().flat_map(|message| &message.content);
        let texts: Vec<String> = self.system.iter().chain(blocks).flat_map(Block::texts).collect();
        let choice = match &self.tool_config.tool_choice {
            Some(ToolChoice::Tool { name }) => Choice::Named(name),
            Some(ToolChoice::Auto {} | ToolChoice::Any {}) | None => Choice::Any,
        };
        let specs = self.tool_config.tools.into_iter().filter_map(|entry| entry.tool_spec);
        Ok(Asked {
            model,
            stream,
            include_usage: true,
            choices: 1,
            max_tokens: self.inference_config.max_tokens,
            prompt_tokens: words(texts.iter().map(String::as_str)),
            last: last(&self.messages),
            format: format(self.output_config)?,
            tool: Tool::choose(specs.map(|spec| Tool::new(spec.name, Some(spec.input_schema.json))), &choice),
        })
    }
}

fn last(messages: &[Message]) -> Last {
    let user = |message: &&Message| message.role == Role::User;
    let results = messages.last().filter(user).into_iter().flat_map(|message| &message.content);
    let results: Vec<&ToolResult> = results.filter_map(|block| block.tool_result.as_ref()).collect();
    if !results.is_empty() {
        let texts: Vec<String> = results.into_iter().flat_map(ToolResult::texts).collect();
        return Last::ToolResult(texts.join(" "));
    }
    let said = |message: &Message| message.content.iter().flat_map(Block::texts).collect::<Vec<_>>();
    messages.iter().rfind(user).map_or(Last::Nothing, |message| Last::Said(said(message).join(" ")))
}

fn format(config: Option<OutputConfig>) -> Result<Format, ApiError> {
    let Some(format) = config.and_then(|config| config.text_format) else {
        return Ok(Format::Text);
    };
    serde_json::from_str(&format.structure.json_schema.schema).map(Format::Schema).map_err(|error| {
        let param = "outputConfig.textFormat.structure.jsonSchema.schema";
        ApiError::invalid(Some(param), format!("{param} is no JSON: {error}"))
    })
}

impl Block {
    fn texts(&self) -> Vec<String> {
        let results = self.tool_result.iter().flat_map(ToolResult::texts);
        self.text.iter().cloned().chain(results).collect()
    }
}

impl ToolResult {
    fn texts(&self) -> Vec<String> {
        let text =
            |block: &ResultBlock| block.text.clone().or_else(|| Some(block.json.as_ref()?.to_string()));
        self.content.iter().filter_map(text).collect()
    }
}
