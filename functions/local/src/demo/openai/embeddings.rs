//! `POST /v1/embeddings`.

use aws_smithy_types::base64;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::demo::asked::words;
use crate::demo::call::Call;
use crate::demo::embed::{Embedded, Wanted, dimensions};
use crate::demo::error::ApiError;

#[derive(Deserialize)]
struct EmbeddingsRequest {
    model: String,
    input: Input,
    #[serde(default)]
    encoding_format: Encoding,
    dimensions: Option<usize>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    Text(String),
    Texts(Vec<String>),
    Tokens(Vec<u32>),
    TokenLists(Vec<Vec<u32>>),
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    #[default]
    Float,
    Base64,
}

pub(in crate::demo) fn read(call: &Call<'_>) -> Result<Wanted, ApiError> {
    let request: EmbeddingsRequest =
        serde_json::from_slice(call.body).map_err(|error| ApiError::malformed(&error))?;
    let (inputs, tokens) = request.input.counted();
    if inputs.is_empty() || inputs.iter().any(Vec::is_empty) {
        return Err(ApiError::invalid(Some("input"), "input must not be empty"));
    }
    let encoding = request.encoding_format;
    Ok(Wanted {
        model: request.model,
        known: false,
        inputs,
        dimensions: dimensions(request.dimensions)?,
        normalise: true,
        tokens,
        tokens_header: None,
        write: Box::new(move |embedded| document(embedded, encoding)),
    })
}

impl Input {
    /// The bytes of each input, and the tokens of them all.
    fn counted(self) -> (Vec<Vec<u8>>, u64) {
        let bytes = |tokens: Vec<u32>| tokens.into_iter().flat_map(u32::to_le_bytes).collect::<Vec<u8>>();
        match self {
            Self::Text(text) => Self::Texts(vec![text]).counted(),
            Self::Texts(texts) => {
                let tokens = texts.iter().map(|text| words([text.as_str()])).sum();
                (texts.into_iter().map(String::into_bytes).collect(), tokens)
            }
            Self::Tokens(tokens) => Self::TokenLists(vec![tokens]).counted(),
            Self::TokenLists(lists) => {
                let tokens = lists.iter().map(|list| list.len() as u64).sum();
                (lists.into_iter().map(bytes).collect(), tokens)
            }
        }
    }
}

fn document(embedded: &Embedded<'_>, encoding: Encoding) -> Value {
    let entry = |(index, vector): (usize, &Vec<f32>)| {
        let embedding = match encoding {
            Encoding::Float => json!(vector),
            Encoding::Base64 => {
                let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
                json!(base64::encode(bytes))
            }
        };
        json!({ "object": "embedding", "index": index, "embedding": embedding })
    };
    let data: Vec<Value> = embedded.vectors.iter().enumerate().map(entry).collect();
    let model = format!("demo/{}", embedded.model);
    let mut document = json!({ "object": "list", "data": data, "model": model });
    if let Some(tokens) = embedded.tokens {
        document["usage"] = json!({ "prompt_tokens": tokens, "total_tokens": tokens });
    }
    document
}
