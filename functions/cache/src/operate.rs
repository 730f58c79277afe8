//! What an operator does to the cache: invalidate, set up, seed.

use bytes::Bytes;
use http::{Request, Response};
use serde_json::json as document;
use shared::app::body::object;
use shared::app::error::GatewayError;
use shared::app::semantic::{self, Asker, Seeding};
use shared::app::unavailable::Unavailable;
use shared::http::{Body, json};

use super::{Asking, Cache};

/// `POST /v1/cache/invalidate`.
pub(crate) async fn invalidate(
    cache: &Cache,
    request: &Request<Bytes>,
    request_id: &str,
) -> Result<Response<Body>, GatewayError> {
    let who = cache.who(request).await?;
    let asker = match &who {
        Asking::Admin => Asker::Admin,
        Asking::Key(caller) => Asker::Key(caller),
    };
    let done = semantic::invalidate(&cache.invalidator, asker, object(request.body())?).await?;
    Ok(json(200, request_id, &done))
}

/// `POST /admin/cache/setup`: the index of the store, unless it is there.
pub(crate) async fn set_up(
    cache: &Cache,
    request: &Request<Bytes>,
    request_id: &str,
) -> Result<Response<Body>, GatewayError> {
    cache.admin_alone(request)?;
    let tier = cache.tier()?;
    let dimensions = tier.lookup.embedder.dimensions();
    let created = tier.set_up.set_up(dimensions).await;
    let created = created.map_err(|error| Unavailable::VectorIndex.because(error))?;
    let provider = cache.config.cache.provider.name();
    let done = document!({ "provider": provider, "dimensions": dimensions, "created": created });
    Ok(json(200, request_id, &done))
}

/// `POST /admin/cache/entries`: pairs of question and answer.
pub(crate) async fn seed(
    cache: &Cache,
    request: &Request<Bytes>,
    request_id: &str,
) -> Result<Response<Body>, GatewayError> {
    cache.admin_alone(request)?;
    let seeding = Seeding {
        indexer: &cache.tier()?.indexer,
        keys: cache.keys.as_ref(),
        primary: &cache.config.routing.primary,
    };
    Ok(json(200, request_id, &semantic::seed(seeding, object(request.body())?).await?))
}
