//! `POST /model/{modelId}/invoke`, for the embeddings of Titan and Cohere.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::demo::asked::words;
use crate::demo::call::Call;
use crate::demo::embed::{Embedded, Wanted, Write, dimensions};
use crate::demo::error::ApiError;

use super::target;

const TOKENS: &str = "x-amzn-bedrock-input-token-count";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Titan {
    input_text: String,
    dimensions: Option<usize>,
    normalize: Option<bool>,
}

#[derive(Deserialize)]
struct Cohere {
    texts: Vec<String>,
    #[serde(rename = "input_type")]
    _input_type: String,
    embedding_types: Option<Vec<String>>,
    output_dimension: Option<usize>,
}

#[derive(Clone, Copy)]
enum Family {
    Titan,
    Cohere,
}

pub(in crate::demo) fn read(call: &Call<'_>) -> Result<Wanted, ApiError> {
    let model = target(call.path).expect("the route has read the path").model;
    let named = Family::named(&model);
    let wanted = match named.or_else(|| Family::of_body(call.body)) {
        Some(Family::Titan) => titan(model, parse(call.body)?)?,
        Some(Family::Cohere) => cohere(model, parse(call.body)?)?,
        None => {
            let message = "the demo provider is invoked for embeddings, with `inputText` or `texts`";
            return Err(ApiError::invalid(None, message));
        }
    };
    Ok(Wanted { known: named.is_some(), ..wanted })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError::malformed(&error))
}

impl Family {
    fn named(model: &str) -> Option<Self> {
        match model {
            _ if model.contains("titan-embed") => Some(Self::Titan),
            _ if model.contains("cohere.embed") => Some(Self::Cohere),
            _ => None,
        }
    }

    /// A script as a model id says nothing of the family.
    fn of_body(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        match body {
            _ if body.get("inputText").is_some() => Some(Self::Titan),
            _ if body.get("texts").is_some() => Some(Self::Cohere),
            _ => None,
        }
    }
}

fn titan(model: String, request: Titan) -> Result<Wanted, ApiError> {
    if request.input_text.is_empty() {
        return Err(ApiError::invalid(Some("inputText"), "inputText must not be empty"));
    }
    let write = |embedded: &Embedded<'_>| {
        let mut document = json!({ "embedding": embedded.vectors[0] });
        if let Some(tokens) = embedded.tokens {
            document["inputTextTokenCount"] = json!(tokens);
        }
        document
    };
    let normalise = request.normalize.unwrap_or(true);
    wanted(model, vec![request.input_text], request.dimensions, normalise, Box::new(write))
}

fn cohere(model: String, request: Cohere) -> Result<Wanted, ApiError> {
    if request.texts.is_empty() || request.texts.iter().any(String::is_empty) {
        return Err(ApiError::invalid(Some("texts"), "texts must not be empty"));
    }
    if request.embedding_types.is_some() {
        let message = "the demo provider gives floats only, without embedding_types";
        return Err(ApiError::invalid(Some("embedding_types"), message));
    }
    let texts = request.texts.clone();
    let write = move |embedded: &Embedded<'_>| {
        json!({
            "id": format!("embed_demo_{}", embedded.number),
            "response_type": "embeddings_floats",
            "embeddings": embedded.vectors,
            "texts": texts,
        })
    };
    wanted(model, request.texts, request.output_dimension, true, Box::new(write))
}

fn wanted(
    model: String,
    texts: Vec<String>,
    asked: Option<usize>,
    normalise: bool,
    write: Write,
) -> Result<Wanted, ApiError> {
    Ok(Wanted {
        model,
        known: true,
        tokens: texts.iter().map(|text| words([text.as_str()])).sum(),
        inputs: texts.into_iter().map(String::into_bytes).collect(),
        dimensions: dimensions(asked)?,
        normalise,
        tokens_header: Some(TOKENS),
        write,
    })
}
