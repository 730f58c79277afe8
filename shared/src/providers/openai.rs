//! Calls a provider that speaks the OpenAI chat-completions dialect.

use super::provider::{Draft, Provider, traced};
use super::response::chunks;
use crate::domain::reservation::Reservation;
use crate::ports::{AttemptError, ChunkStream};
use crate::protocol::canonical::ChatRequest;
use crate::protocol::openai::outbound;
use crate::protocol::openai::stream::StreamDecoder;
use crate::protocol::outbound::Flavour;

pub(super) async fn open(
    provider: &Provider,
    flavour: Flavour,
    paid: &Reservation,
    request: &ChatRequest,
) -> Result<ChunkStream, AttemptError> {
    let model = provider.model(paid.target().model());
    let body = outbound::body(request, model, paid.bound().max_output_tokens, flavour);
    let draft = Draft {
        path: "/chat/completions".to_owned(),
        accept: "text/event-stream",
        headers: traced(paid),
        body: body.to_string().into(),
    };
    Ok(chunks(provider.send(&draft).await?, StreamDecoder::default()))
}
