//! Calls models on Amazon Bedrock.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::provider::{Draft, Provider, traced};
use super::response::chunks;
use crate::domain::reservation::Reservation;
use crate::ports::{AttemptError, ChunkStream};
use crate::protocol::bedrock::outbound;
use crate::protocol::bedrock::stream::StreamDecoder;
use crate::protocol::canonical::ChatRequest;

/// What a path segment may not hold as it stands: the colons and slashes of ids and ARNs as well.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) async fn open(
    provider: &Provider,
    paid: &Reservation,
    request: &ChatRequest,
) -> Result<ChunkStream, AttemptError> {
    // Routing has judged by this name what the model can do; an ARN may not tell.
    let model = paid.target().model();
    let body = outbound::body(request, model, paid.bound().max_output_tokens);
    let draft = Draft {
        path: path(provider.model(model), "converse-stream"),
        accept: "application/vnd.amazon.eventstream",
        headers: traced(paid),
        body: body.to_string().into(),
    };
    let is_forced = outbound::forced_tool(request, model).is_some();
    Ok(chunks(provider.send(&draft).await?, StreamDecoder::new(is_forced)))
}

/// Where one operation of a model is.
pub(super) fn path(model: &str, operation: &str) -> String {
    format!("/model/{}/{operation}", utf8_percent_encode(model, RESERVED))
}

#[cfg(test)]
mod tests;
