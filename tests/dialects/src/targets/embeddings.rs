//! Embeddings both ways, and the other answers of providers that are read whole.

use serde_json::Value;
use shared::protocol::anthropic::count;
use shared::protocol::embeddings::{self, bedrock, openai};
use shared::protocol::frame::Frame;
use shared::protocol::json::parse_object;
use shared::protocol::openai::stream::error_frame;
use shared::protocol::outbound::{Flavour, Outbound};

const BEDROCK_MODELS: [&str; 4] = [
    "amazon.titan-embed-text-v1",
    "amazon.titan-embed-text-v2:0",
    "cohere.embed-english-v3",
    "cohere.embed-v4:0",
];

/// A request that is read is sized, and written for every model that is said to honour it, each
/// text in exactly one call.
pub(super) fn request(data: &[u8]) {
    let Ok(body) = parse_object(data) else { return };
    let inbound = match openai::read(body) {
        Ok(inbound) => inbound,
        Err(fault) => return assert!(!fault.message.is_empty()),
    };
    let request = &inbound.request;
    assert!(!request.inputs.is_empty() && request.inputs.len() <= embeddings::INPUTS_MAX);
    for window in [0, 8191, u64::MAX] {
        assert!(request.size(window).input_bytes <= window.saturating_mul(request.inputs.len() as u64));
    }
    if embeddings::check(request, Outbound::OpenAi(Flavour::Official), "text-embedding-3-small").is_ok() {
        let body = openai::body(request, "text-embedding-3-small", inbound.request.base64);
        assert_eq!(body["input"].as_array().map(Vec::len), Some(request.inputs.len()));
    }
    for model in BEDROCK_MODELS {
        if embeddings::check(request, Outbound::Bedrock, model).is_ok() {
            let texts: usize = bedrock::bodies(request, model).iter().map(|(_, texts)| texts).sum();
            assert_eq!(texts, request.inputs.len());
        }
    }
}

/// The first byte says how many vectors are waited for. What is read holds as many, and callers
/// read the same numbers out of either form; an error always says something.
pub(super) fn answer(data: &[u8]) {
    let Some((count, body)) = data.split_first() else { return };
    let count = usize::from(count % 8);
    if let Ok(read) = openai::parse(body, count) {
        assert_eq!(read.vectors.len(), count);
        let numbers = read.vectors.iter().flatten();
        if numbers.clone().all(|number| number.is_finite()) {
            for base64 in [false, true] {
                let text = openai::render(&read.vectors, "m", 1, base64);
                let again = openai::parse(text.as_bytes(), count).expect("our own form");
                assert_eq!(again.vectors, read.vectors);
            }
        }
    }
    if let Ok(read) = bedrock::parse(body, count, Some(7)) {
        assert_eq!(read.vectors.len(), count);
        assert!(read.tokens.is_some());
    }
    count::parse(body);
    let parsed: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let error = error_frame(parsed.get("error").unwrap_or(&parsed));
    assert!(matches!(error, Frame::Error { message, .. } if !message.is_empty() || parsed != Value::Null));
}
