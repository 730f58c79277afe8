//! `POST /v1/embeddings` as OpenAI speaks it, both ways.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{EmbedRequest, Embeddings, INPUTS_MAX, Input};
use crate::protocol::fields::{BadRequest, Fields, kind};
use crate::protocol::json::unquoted;

/// A request as it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Inbound {
    /// As the caller wrote it; resolved to a route later.
    pub model: String,
    pub request: EmbedRequest,
}

/// Reads the body of `POST /v1/embeddings`.
///
/// # Errors
/// [`BadRequest`] naming the field.
pub fn read(body: Map<String, Value>) -> Result<Inbound, BadRequest> {
    const DIMENSIONS_MAX: u64 = 65_536;
    let mut fields = Fields::new(body);
    let model = fields.required_string("model")?;
    let request = EmbedRequest {
        inputs: inputs(fields.required("input")?)?,
        dimensions: fields.whole("dimensions", 1, DIMENSIONS_MAX)?,
        base64: is_base64(&mut fields)?,
        input_type: fields.string("input_type")?,
        user: fields.string("user")?,
        unlisted: fields.rest(),
    };
    Ok(Inbound { model, request })
}

fn is_base64(fields: &mut Fields) -> Result<bool, BadRequest> {
    match fields.string("encoding_format")?.as_deref() {
        None | Some("float") => Ok(false),
        Some("base64") => Ok(true),
        Some(other) => Err(BadRequest::new(
            "encoding_format",
            format!("encoding_format must be \"float\" or \"base64\", got {other:?}"),
        )),
    }
}

/// A text, tokens, or a list of either.
fn inputs(value: Value) -> Result<Vec<Input>, BadRequest> {
    let items = match value {
        Value::String(text) => return one(Value::String(text), "input").map(|input| vec![input]),
        Value::Array(items) if items.first().is_some_and(Value::is_number) => {
            return one(Value::Array(items), "input").map(|input| vec![input]);
        }
        Value::Array(items) => items,
        other => {
            let text = format!("input must be a string or an array, got {}", kind(&other));
            return Err(BadRequest::new("input", text));
        }
    };
    if !(1..=INPUTS_MAX).contains(&items.len()) {
        return Err(BadRequest::new("input", format!("input must hold 1 to {INPUTS_MAX} entries")));
    }
    items.into_iter().enumerate().map(|(index, item)| one(item, &format!("input[{index}]"))).collect()
}

fn one(value: Value, path: &str) -> Result<Input, BadRequest> {
    let wrong = |what: &str| BadRequest::new(path, format!("{path} {what}"));
    match value {
        Value::String(text) if text.is_empty() => Err(wrong("must not be empty")),
        Value::String(text) => Ok(Input::Text(text)),
        Value::Array(tokens) if !tokens.is_empty() => {
            let tokens: Option<Vec<u64>> = tokens.iter().map(Value::as_u64).collect();
            tokens.map(Input::Tokens).ok_or_else(|| wrong("must be a string or an array of token ids"))
        }
        _ => Err(wrong("must be a string or an array of token ids")),
    }
}

/// The body of the upstream call. `base64` asks for the short form of vectors, which not every
/// server of the dialect knows.
pub fn body(request: &EmbedRequest, model: &str, base64: bool) -> Value {
    let mut out = request.unlisted.clone();
    let input = |input: &Input| match input {
        Input::Text(text) => json!(text),
        Input::Tokens(tokens) => json!(tokens),
    };
    out.insert("model".into(), json!(model));
    out.insert("input".into(), request.inputs.iter().map(input).collect());
    out.insert("encoding_format".into(), json!(if base64 { "base64" } else { "float" }));
    let optional = [
        ("dimensions", request.dimensions.map(Value::from)),
        ("user", request.user.clone().map(Value::from)),
    ];
    out.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Value::Object(out)
}

#[derive(Deserialize)]
struct WireEmbeddings {
    #[serde(default)]
    model: Option<String>,
    data: Vec<WireVector>,
    #[serde(default)]
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct WireVector {
    #[serde(default)]
    index: Option<usize>,
    embedding: WireNumbers,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireNumbers {
    Float(Vec<f32>),
    Base64(String),
}

#[derive(Deserialize)]
struct WireUsage {
    prompt_tokens: u64,
}

/// Reads the provider's answer to `count` inputs.
///
/// # Errors
/// The reason, when it is not an answer of this dialect with a vector for each input.
pub fn parse(body: &[u8], count: usize) -> Result<Embeddings, String> {
    let wire: WireEmbeddings = serde_json::from_slice(body)
        .map_err(|error| format!("unreadable embeddings: {}", unquoted(&error)))?;
    let mut vectors = vec![None; count];
    for (position, vector) in wire.data.into_iter().enumerate() {
        let slot = vectors.get_mut(vector.index.unwrap_or(position));
        let slot = slot.ok_or("a vector for an input that was not sent")?;
        *slot = Some(numbers(vector.embedding)?);
    }
    let vectors: Option<Vec<Vec<f32>>> = vectors.into_iter().collect();
    Ok(Embeddings {
        model: wire.model,
        vectors: vectors.ok_or("an input has no vector")?,
        tokens: wire.usage.map(|usage| usage.prompt_tokens),
    })
}

fn numbers(wire: WireNumbers) -> Result<Vec<f32>, String> {
    let text = match wire {
        WireNumbers::Float(numbers) => return Ok(numbers),
        WireNumbers::Base64(text) => text,
    };
    let bytes = STANDARD.decode(text).map_err(|error| format!("a vector is not base64: {error}"))?;
    let (chunks, rest) = bytes.as_chunks::<4>();
    match rest.is_empty() {
        true => Ok(chunks.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()),
        false => Err("a vector does not consist of 32-bit floats".to_owned()),
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    object: &'static str,
    data: Vec<AnswerVector<'a>>,
    model: &'a str,
    usage: AnswerUsage,
}

#[derive(Serialize)]
struct AnswerVector<'a> {
    object: &'static str,
    index: usize,
    embedding: AnswerNumbers<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum AnswerNumbers<'a> {
    Float(&'a [f32]),
    Base64(String),
}

#[derive(Serialize)]
struct AnswerUsage {
    prompt_tokens: u64,
    total_tokens: u64,
}

/// The body of the reply. `tokens` is what was billed.
pub fn render(vectors: &[Vec<f32>], model: &str, tokens: u64, base64: bool) -> String {
    let data = vectors.iter().enumerate().map(|(index, vector)| AnswerVector {
        object: "embedding",
        index,
        embedding: if base64 { encoded(vector) } else { AnswerNumbers::Float(vector) },
    });
    let usage = AnswerUsage { prompt_tokens: tokens, total_tokens: tokens };
    let answer = Answer { object: "list", data: data.collect(), model, usage };
    serde_json::to_string(&answer).unwrap_or_default()
}

fn encoded(vector: &[f32]) -> AnswerNumbers<'_> {
    let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    AnswerNumbers::Base64(STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_request(body: Value) -> Result<Inbound, BadRequest> {
        read(body.as_object().cloned().expect("an object"))
    }

    #[test]
    fn every_form_of_input_is_read() {
        for (input, inputs) in [
            (json!("a"), vec![Input::Text("a".into())]),
            (json!(["a", "b"]), vec![Input::Text("a".into()), Input::Text("b".into())]),
            (json!([1, 2]), vec![Input::Tokens(vec![1, 2])]),
            (json!([[1], [2, 3]]), vec![Input::Tokens(vec![1]), Input::Tokens(vec![2, 3])]),
        ] {
            let inbound = parse_request(json!({"model": "m", "input": input})).expect("valid");
            assert_eq!(inbound.request.inputs, inputs, "{input}");
        }
    }

    #[test]
    fn each_fault_names_its_field() {
        for (change, param) in [
            (json!({"input": null}), "input"),
            (json!({"input": ""}), "input"),
            (json!({"input": []}), "input"),
            (json!({"input": 1}), "input"),
            (json!({"input": ["a", ""]}), "input[1]"),
            (json!({"input": ["a", [1.5]]}), "input[1]"),
            (json!({"input": [1, -2]}), "input"),
            (json!({"dimensions": 0}), "dimensions"),
            (json!({"encoding_format": "hex"}), "encoding_format"),
            (json!({"model": 1}), "model"),
        ] {
            let mut body = json!({"model": "m", "input": "a"});
            for (name, value) in change.as_object().expect("an object") {
                body[name] = value.clone();
            }
            assert_eq!(parse_request(body).expect_err(param).param, param, "{change}");
        }
    }

    #[test]
    fn vectors_survive_both_encodings() {
        let vectors = vec![vec![0.1_f32, -2.5, 3.0e-8], vec![1.0, 0.0, f32::MIN_POSITIVE]];
        for base64 in [true, false] {
            let text = render(&vectors, "m", 7, base64);
            let read = parse(text.as_bytes(), 2).expect("our own form");
            assert_eq!((read.vectors.as_slice(), read.tokens), (vectors.as_slice(), Some(7)));
        }
    }

    #[test]
    fn an_answer_that_lacks_a_vector_is_no_answer() {
        let text = render(&[vec![1.0]], "m", 1, false);
        assert!(parse(text.as_bytes(), 2).is_err());
        assert!(parse(br#"{"data":[{"index":9,"embedding":[1]}]}"#, 1).is_err());
        assert!(parse(br#"{"data":[{"embedding":"AAA="}]}"#, 1).is_err());
    }
}
