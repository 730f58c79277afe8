//! `POST /v1/cache/lookup`: what the cache has for a request, or would say of two texts.

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use serde_json::{Map, Value};
use shared::app::body::object;
use shared::app::error::GatewayError;
use shared::app::semantic::{Asking as Probe, Tiers, explain, probe};
use shared::app::told;
use shared::app::unavailable::Unavailable;
use shared::config::ModelName;
use shared::http::{Body, json};
use shared::ports::StoreError;
use shared::protocol::dialect::Dialect;
use shared::protocol::fields::Fields;

use super::Cache;

/// A body as it would be sent to `/v1/chat/completions` or `/v1/chat`, or `{text, against, model?}`.
pub(crate) async fn respond(
    cache: &Cache,
    request: &Request<Bytes>,
    request_id: &str,
) -> Result<Response<Body>, GatewayError> {
    if request.body().is_empty() {
        cache.who(request).await?;
    }
    let body = object(request.body());
    if body.as_ref().is_ok_and(|body| body.contains_key("against")) {
        cache.who(request).await?;
        return compare(cache, body?, request_id).await;
    }
    let caller = cache.caller(request).await?;
    let asking = asking(cache, request, body?)?;
    let tiers = Tiers {
        cache: &cache.config.cache,
        answers: cache.answers.as_ref(),
        marks: &cache.invalidator.marks,
        semantic: cache.semantic.as_ref().map(|semantic| &semantic.lookup),
    };
    Ok(json(200, request_id, &probe(tiers, &caller, &asking, cache.clock.now()).await?))
}

fn asking(cache: &Cache, request: &Request<Bytes>, body: Map<String, Value>) -> Result<Probe, GatewayError> {
    let header = |name: &'static str| request.headers().get(name).map(HeaderValue::as_bytes);
    let told = told::read(&header)?;
    let dialect = if body.contains_key("prompt") { Dialect::Seed } else { Dialect::OpenAi };
    let inbound = dialect.read(body)?;
    let model = model(cache, inbound.model)?;
    Ok(Probe { model, request: inbound.request, told, no_cache: false })
}

/// The named model, or the configured primary.
fn model(cache: &Cache, name: Option<String>) -> Result<ModelName, GatewayError> {
    let Some(name) = name else { return Ok(cache.config.routing.primary.clone()) };
    let known =
        name.parse().ok().filter(|model: &ModelName| cache.config.provider(model.provider()).is_some());
    known.ok_or(GatewayError::UnknownModel { model: name })
}

async fn compare(
    cache: &Cache,
    body: Map<String, Value>,
    request_id: &str,
) -> Result<Response<Body>, GatewayError> {
    let mut fields = Fields::new(body);
    let (text, against) = (fields.required_string("text")?, fields.required_string("against")?);
    let model = model(cache, fields.string("model")?)?;
    fields.nothing_else()?;
    let embedder = cache.tier()?.lookup.embedder.as_ref();
    let explained = explain(&cache.config.cache, embedder, model.as_str(), &text, &against).await;
    let explained = explained.map_err(|why| Unavailable::Embedding.because(StoreError::Rejected(why)))?;
    Ok(json(200, request_id, &explained))
}
