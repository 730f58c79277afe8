//! Embeddings in any form: reads the request, then acts out the script.

use http::Response;
use http::header::{HeaderName, HeaderValue};
use serde_json::Value;

use super::body::Body;
use super::call::Call;
use super::dialect::Api;
use super::document::Document;
use super::error::{ApiError, Refusal};
use super::state::{Meter, bare};
use super::vector::{DIMENSIONS, MAX_DIMENSIONS, normalised, vector};

/// What a call asks.
pub(super) type Embedder = fn(&Call<'_>) -> Result<Wanted, ApiError>;

pub(super) struct Wanted {
    pub(super) model: String,
    /// The model's name is known, so that it need not be a script.
    pub(super) known: bool,
    /// The bytes of each text.
    pub(super) inputs: Vec<Vec<u8>>,
    pub(super) dimensions: usize,
    pub(super) normalise: bool,
    pub(super) tokens: u64,
    /// The header that tells the tokens.
    pub(super) tokens_header: Option<&'static str>,
    pub(super) write: Write,
}

/// The document around the vectors.
pub(super) type Write = Box<dyn FnOnce(&Embedded<'_>) -> Value + Send>;

pub(super) struct Embedded<'a> {
    pub(super) number: u64,
    pub(super) model: &'a str,
    pub(super) vectors: Vec<Vec<f32>>,
    /// Unless the script keeps them back.
    pub(super) tokens: Option<u64>,
}

pub(super) async fn embed(call: &Call<'_>, api: &dyn Api, read: Embedder) -> Result<Response<Body>, Refusal> {
    let wanted = read(call)?;
    let model = bare(&wanted.model);
    let script = call.begin(model, wanted.known).await?;
    let vectors = wanted.inputs.iter().map(|text| vector(text, wanted.dimensions));
    let vectors = match wanted.normalise {
        true => vectors.map(|vector| normalised(&vector)).collect(),
        false => vectors.collect(),
    };
    let tokens = script.usage.then_some(wanted.tokens);
    let embedded = Embedded { number: call.number, model, vectors, tokens };
    let document = Document {
        api,
        number: call.number,
        bytes: (wanted.write)(&embedded).to_string().into(),
        tokens: 0,
        duration: script.delay,
    };
    let meter = Meter::new(call.demo, model, wanted.tokens);
    let mut response = document.respond(script.fault, meter).await;
    if let (Some(name), Some(tokens)) = (wanted.tokens_header, tokens) {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from(tokens));
    }
    Ok(response)
}

/// The length of the vectors.
pub(super) fn dimensions(asked: Option<usize>) -> Result<usize, ApiError> {
    let count = asked.unwrap_or(DIMENSIONS);
    if (1..=MAX_DIMENSIONS).contains(&count) {
        return Ok(count);
    }
    let message = format!("dimensions must be between 1 and {MAX_DIMENSIONS}");
    Err(ApiError::invalid(Some("dimensions"), message))
}
