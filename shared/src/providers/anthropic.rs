//! Calls a provider that speaks Anthropic's Messages.

use http::HeaderName;

use super::provider::{Draft, Provider, traced};
use super::response::{chunks, send_error};
use crate::config::ModelName;
use crate::domain::reservation::Reservation;
use crate::ports::{AttemptError, ChunkStream};
use crate::protocol::anthropic::stream::StreamDecoder;
use crate::protocol::anthropic::{count, outbound};
use crate::protocol::canonical::ChatRequest;
use crate::protocol::forced_tool;

pub(super) async fn open(
    provider: &Provider,
    paid: &Reservation,
    request: &ChatRequest,
) -> Result<ChunkStream, AttemptError> {
    let model = provider.model(paid.target().model());
    let draft = Draft {
        path: "/messages".to_owned(),
        accept: "text/event-stream",
        headers: [betas(request), traced(paid)].concat(),
        body: outbound::body(request, model, paid.bound().max_output_tokens).to_string().into(),
    };
    Ok(chunks(provider.send(&draft).await?, StreamDecoder::new(forced_tool::is_needed(request, model))))
}

/// Asks how many tokens the request would put in.
pub(super) async fn count(
    provider: &Provider,
    target: &ModelName,
    request: &ChatRequest,
) -> Result<u64, AttemptError> {
    let draft = Draft {
        path: "/messages/count_tokens".to_owned(),
        accept: "application/json",
        headers: betas(request),
        body: count::body(request, provider.model(target.model())).to_string().into(),
    };
    let answer = provider.send(&draft).await?.bytes().await.map_err(send_error)?;
    count::parse(&answer).ok_or_else(|| AttemptError::Broken("unreadable count".to_owned()))
}

fn betas(request: &ChatRequest) -> Vec<(HeaderName, String)> {
    let names = outbound::betas(request);
    let header = || (HeaderName::from_static("anthropic-beta"), names.join(","));
    if names.is_empty() { Vec::new() } else { vec![header()] }
}
