//! Embeddings: one call of OpenAI's dialect, or as many of Bedrock's as the texts need.

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::provider::{Draft, Provider, traced};
use super::response::send_error;
use crate::domain::reservation::Reservation;
use crate::ports::AttemptError;
use crate::protocol::embeddings::{EmbedRequest, Embeddings, bedrock, openai};
use crate::protocol::outbound::{Flavour, Outbound};

/// Calls that are in flight at once for a model that takes one text a call.
const SIDE_BY_SIDE: usize = 8;
/// The largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;

pub(super) async fn embed(
    provider: &Provider,
    paid: &Reservation,
    request: &EmbedRequest,
) -> Result<Embeddings, AttemptError> {
    let model = provider.model(paid.target().model());
    match provider.outbound {
        Outbound::OpenAi(flavour) => {
            let body = openai::body(request, model, flavour == Flavour::Official);
            let (answer, _) = call(provider, paid, "/embeddings".to_owned(), &body).await?;
            openai::parse(&answer, request.inputs.len()).map_err(AttemptError::Broken)
        }
        Outbound::Bedrock => invoke(provider, paid, model, request).await,
        Outbound::Anthropic => Err(AttemptError::Connect("the provider has no embeddings".to_owned())),
    }
}

/// The calls of one request, their answers joined. When one fails the others may have been billed.
async fn invoke(
    provider: &Provider,
    paid: &Reservation,
    model: &str,
    request: &EmbedRequest,
) -> Result<Embeddings, AttemptError> {
    let path = super::bedrock::path(model, "invoke");
    let bodies = bedrock::bodies(request, model);
    let several = bodies.len() > 1;
    let calls = bodies.into_iter().map(|(body, count)| {
        let path = path.clone();
        async move {
            let (answer, tokens) = call(provider, paid, path, &body).await?;
            bedrock::parse(&answer, count, tokens).map_err(AttemptError::Broken)
        }
    });
    let whole = Embeddings { tokens: Some(0), ..Embeddings::default() };
    let joined = stream::iter(calls).buffered(SIDE_BY_SIDE).try_fold(whole, |mut whole, part| async move {
        whole.vectors.extend(part.vectors);
        whole.tokens = whole.tokens.zip(part.tokens).map(|(sum, more)| sum.saturating_add(more));
        Ok(whole)
    });
    joined.await.map_err(|error| if several { may_be_billed(error) } else { error })
}

/// What fails among several calls says nothing of the others.
fn may_be_billed(error: AttemptError) -> AttemptError {
    match error {
        AttemptError::Timeout(_) | AttemptError::Broken(_) => error,
        AttemptError::Connect(why) => AttemptError::Broken(why),
        // What the provider says may repeat the input.
        AttemptError::InStream { .. } => AttemptError::Broken("an error inside the answer".to_owned()),
        AttemptError::Status { status, .. } => AttemptError::Broken(format!("status {status}")),
    }
}

/// The answer, and the input tokens that its header counts, if it does.
async fn call(
    provider: &Provider,
    paid: &Reservation,
    path: String,
    body: &Value,
) -> Result<(Vec<u8>, Option<u64>), AttemptError> {
    let draft =
        Draft { path, accept: "application/json", headers: traced(paid), body: body.to_string().into() };
    let mut response = provider.send(&draft).await?;
    let tokens = response.headers().get("x-amzn-bedrock-input-token-count");
    let tokens = tokens.and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok());
    let mut answer = Vec::new();
    while let Some(bytes) = response.chunk().await.map_err(send_error)? {
        answer.extend_from_slice(&bytes);
        if answer.len() > ANSWER_BYTES_MAX {
            return Err(AttemptError::Broken("the embeddings are too long".to_owned()));
        }
    }
    Ok((answer, tokens))
}
