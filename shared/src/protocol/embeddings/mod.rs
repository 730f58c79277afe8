//! Embeddings: OpenAI's dialect inbound, OpenAI's and Bedrock's outbound.

pub mod bedrock;
pub mod openai;

use serde_json::{Map, Value};

use super::outbound::Outbound;
use super::support::Unsupported;
use crate::domain::bound::RequestSize;

/// Texts that one request may hold, as at OpenAI.
pub const INPUTS_MAX: usize = 2048;
/// Tokens that a model may put around each text.
const INPUT_OVERHEAD: u64 = 8;

/// One request for vectors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EmbedRequest {
    pub inputs: Vec<Input>,
    /// The length of the vectors, where the model lets it be chosen.
    pub dimensions: Option<u64>,
    /// The caller wants base64 of little-endian 32-bit floats instead of numbers.
    pub base64: bool,
    /// What Cohere's models want to know: `search_document`, `search_query`, ...
    pub input_type: Option<String>,
    pub user: Option<String>,
    /// Fields nobody listed: only keys without a budget may send them, to OpenAI's dialect alone.
    pub unlisted: Map<String, Value>,
}

/// What is embedded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Text(String),
    /// Tokens of the model's own tokenizer.
    Tokens(Vec<u64>),
}

/// The vectors, in the order of the inputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Embeddings {
    /// The model's own name for itself.
    pub model: Option<String>,
    pub vectors: Vec<Vec<f32>>,
    /// Input tokens, where the provider reports them.
    pub tokens: Option<u64>,
}

impl EmbedRequest {
    /// What bounds the hold. A text longer than the model's window is refused by its provider, but
    /// each text has the window for itself.
    pub fn size(&self, context_window: u64) -> RequestSize {
        let tokens = |input: &Input| {
            let most = match input {
                Input::Text(text) => text.len(),
                Input::Tokens(tokens) => tokens.len(),
            };
            u64::try_from(most).unwrap_or(u64::MAX).saturating_add(INPUT_OVERHEAD).min(context_window)
        };
        RequestSize {
            input_bytes: self.inputs.iter().map(tokens).fold(0, u64::saturating_add),
            images: 0,
            choices: 1,
            max_output_tokens: Some(0),
            cache_points: false,
        }
    }
}

/// Whether `model` behind `outbound` can honour all of `request`.
///
/// # Errors
/// [`Unsupported`], naming the first field that it cannot.
pub fn check(request: &EmbedRequest, outbound: Outbound, model: &str) -> Result<(), Unsupported> {
    let refuse = |param: &str, why| Err(Unsupported { param: param.to_owned(), why });
    match outbound {
        Outbound::Anthropic => refuse("model", "its provider has no embeddings"),
        Outbound::OpenAi(_) => match request.input_type {
            Some(_) => refuse("input_type", "only Cohere's models know it"),
            None => Ok(()),
        },
        Outbound::Bedrock => bedrock::check(request, model),
    }
}
