//! Embedding models of Bedrock, which have no API in common: Amazon's Titan takes one text a call,
//! Cohere's take up to 96.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{EmbedRequest, Embeddings, Input};
use crate::protocol::json::unquoted;
use crate::protocol::support::Unsupported;

/// Texts that a Cohere model takes in one call.
const COHERE_TEXTS_MAX: usize = 96;

/// The family of an embedding model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Titan,
    Cohere,
}

fn family(model: &str) -> Option<Family> {
    match model {
        model if model.contains("titan-embed-text") => Some(Family::Titan),
        model if model.contains("cohere.embed") => Some(Family::Cohere),
        _ => None,
    }
}

pub(super) fn check(request: &EmbedRequest, model: &str) -> Result<(), Unsupported> {
    let refuse = |param: &str, why| Err(Unsupported { param: param.to_owned(), why });
    let Some(family) = family(model) else {
        return refuse("model", "it is not one of Titan's or Cohere's text embedding models");
    };
    if let Some(name) = request.unlisted.keys().next() {
        return refuse(name, "it is not a known field, and the model's provider speaks another dialect");
    }
    if request.inputs.iter().any(|input| matches!(input, Input::Tokens(_))) {
        return refuse("input", "the model takes text, not token ids");
    }
    match family {
        Family::Titan if request.input_type.is_some() => refuse("input_type", "only Cohere's models know it"),
        Family::Titan if request.dimensions.is_some() && model.contains("-v1") => {
            refuse("dimensions", "the length of this model's vectors is fixed")
        }
        Family::Cohere if request.dimensions.is_some() && !model.contains("-v4") => {
            refuse("dimensions", "the length of this model's vectors is fixed")
        }
        Family::Titan | Family::Cohere => Ok(()),
    }
}

/// The bodies of the calls that embed everything, in the order of the inputs, each with the number
/// of its texts.
pub fn bodies(request: &EmbedRequest, model: &str) -> Vec<(Value, usize)> {
    let text = |input: &Input| match input {
        Input::Text(text) => text.clone(),
        Input::Tokens(_) => String::new(),
    };
    let texts: Vec<String> = request.inputs.iter().map(text).collect();
    match family(model) {
        Some(Family::Cohere) => {
            texts.chunks(COHERE_TEXTS_MAX).map(|texts| (cohere(texts, request), texts.len())).collect()
        }
        Some(Family::Titan) | None => texts.iter().map(|text| (titan(text, request), 1)).collect(),
    }
}

fn titan(text: &str, request: &EmbedRequest) -> Value {
    let mut body = json!({ "inputText": text });
    if let Some(dimensions) = request.dimensions {
        body["dimensions"] = json!(dimensions);
        body["normalize"] = json!(true);
    }
    body
}

fn cohere(texts: &[String], request: &EmbedRequest) -> Value {
    let input_type = request.input_type.as_deref().unwrap_or("search_document");
    let mut body = json!({ "texts": texts, "input_type": input_type, "truncate": "NONE" });
    if let Some(dimensions) = request.dimensions {
        body["output_dimension"] = json!(dimensions);
    }
    body
}

/// Both families' answers: Titan counts tokens in the body, Cohere in a header.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default)]
    embedding: Option<Vec<f32>>,
    #[serde(default)]
    embeddings: Option<WireMany>,
    #[serde(default)]
    input_text_token_count: Option<u64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireMany {
    Plain(Vec<Vec<f32>>),
    ByType { float: Vec<Vec<f32>> },
}

/// Reads the answer to one call of `count` texts. `tokens` is what the header
/// `x-amzn-bedrock-input-token-count` says.
///
/// # Errors
/// The reason, when it is no answer with a vector for each text.
pub fn parse(body: &[u8], count: usize, tokens: Option<u64>) -> Result<Embeddings, String> {
    let wire: Wire = serde_json::from_slice(body)
        .map_err(|error| format!("unreadable embeddings: {}", unquoted(&error)))?;
    let vectors = match (wire.embedding, wire.embeddings) {
        (Some(vector), _) => vec![vector],
        (None, Some(WireMany::Plain(vectors) | WireMany::ByType { float: vectors })) => vectors,
        (None, None) => Vec::new(),
    };
    match vectors.len() == count {
        true => Ok(Embeddings { model: None, vectors, tokens: wire.input_text_token_count.or(tokens) }),
        false => Err(format!("{} vectors for {count} texts", vectors.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(count: usize) -> EmbedRequest {
        let inputs = (0..count).map(|n| Input::Text(format!("text {n}"))).collect();
        EmbedRequest { inputs, ..EmbedRequest::default() }
    }

    #[test]
    fn titan_takes_a_text_a_call_and_cohere_ninety_six() {
        let sizes =
            |model: &str| bodies(&texts(100), model).iter().map(|(_, count)| *count).collect::<Vec<_>>();
        assert_eq!(sizes("amazon.titan-embed-text-v2:0").len(), 100);
        assert_eq!(sizes("cohere.embed-english-v3"), [96, 4]);
        let (body, _) = &bodies(&texts(2), "cohere.embed-english-v3")[0];
        let expected =
            json!({"texts": ["text 0", "text 1"], "input_type": "search_document", "truncate": "NONE"});
        assert_eq!(*body, expected);
    }

    #[test]
    fn what_a_model_cannot_do_is_refused_by_name() {
        let param =
            |request: &EmbedRequest, model: &str| check(request, model).err().map(|fault| fault.param);
        let sized = EmbedRequest { dimensions: Some(256), ..texts(1) };
        assert_eq!(param(&sized, "amazon.titan-embed-text-v2:0"), None);
        assert_eq!(param(&sized, "amazon.titan-embed-text-v1").as_deref(), Some("dimensions"));
        assert_eq!(param(&sized, "cohere.embed-english-v3").as_deref(), Some("dimensions"));
        assert_eq!(param(&texts(1), "amazon.nova-pro-v1:0").as_deref(), Some("model"));
        let tokens = EmbedRequest { inputs: vec![Input::Tokens(vec![1])], ..EmbedRequest::default() };
        assert_eq!(param(&tokens, "amazon.titan-embed-text-v2:0").as_deref(), Some("input"));
    }

    #[test]
    fn both_forms_of_answers_are_read() {
        let titan = parse(br#"{"embedding":[0.5,1],"inputTextTokenCount":3}"#, 1, None).expect("titan");
        assert_eq!((titan.vectors, titan.tokens), (vec![vec![0.5, 1.0]], Some(3)));
        let cohere = parse(br#"{"embeddings":[[1],[2]],"id":"x"}"#, 2, Some(9)).expect("cohere");
        assert_eq!((cohere.vectors, cohere.tokens), (vec![vec![1.0], vec![2.0]], Some(9)));
        let typed = parse(br#"{"embeddings":{"float":[[1]]}}"#, 1, None).expect("cohere v4");
        assert_eq!((typed.vectors, typed.tokens), (vec![vec![1.0]], None));
        assert!(parse(br#"{"embeddings":[[1]]}"#, 2, None).is_err());
        assert!(parse(b"{}", 1, None).is_err());
    }
}
