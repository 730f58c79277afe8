//! `GET /v1/models`: what this key may ask for.

use std::sync::Arc;

use http::{HeaderMap, Response};
use serde_json::{Value, json};
use shared::app::App;
use shared::app::authenticate::{Caller, authenticate_token};
use shared::config::ModelName;
use shared::http::{Body, identify, token};
use shared::protocol::dialect::Dialect;

use super::reply;

pub(crate) async fn list(app: &Arc<App>, headers: &HeaderMap, request_id: &str) -> Response<Body> {
    // Anthropic's SDKs ask the same path.
    let dialect =
        if headers.contains_key("anthropic-version") { Dialect::Anthropic } else { Dialect::OpenAi };
    match authenticate_token(app, token(headers).as_deref()).await {
        Err(refused) => reply::refuse(&refused, dialect, request_id),
        Ok(caller) => {
            let list = write(&callable(app, &caller), dialect);
            let mut response = shared::http::json(200, request_id, &list);
            identify(response.headers_mut(), dialect, request_id);
            response
        }
    }
}

fn write(models: &[ModelName], dialect: Dialect) -> Value {
    let data = |describe: fn(&ModelName) -> Value| models.iter().map(describe).collect::<Vec<_>>();
    match dialect {
        Dialect::Anthropic => json!({
            "data": data(describe_to_anthropic),
            "has_more": false,
            "first_id": models.first().map(ModelName::as_str),
            "last_id": models.last().map(ModelName::as_str),
        }),
        Dialect::OpenAi | Dialect::Responses | Dialect::Seed => {
            json!({ "object": "list", "data": data(describe) })
        }
    }
}

/// Models that have a price and a configured provider and that the key allows.
fn callable(app: &App, caller: &Caller) -> Vec<ModelName> {
    let priced = app.prices.models().into_iter().filter_map(|name| name.parse().ok());
    let routed = app
        .config
        .routing
        .chain()
        .filter(|model| app.prices.price(model, app.clock.now()).is_some())
        .cloned();
    let mut models: Vec<ModelName> = priced.chain(routed).collect();
    models.sort();
    models.dedup();
    models.retain(|model| app.upstream.outbound(model).is_some() && caller.may_use(model).is_ok());
    models
}

fn describe(model: &ModelName) -> Value {
    json!({ "id": model.as_str(), "object": "model", "created": 0, "owned_by": model.provider() })
}

/// When a model was released is not known here; the epoch says so in this dialect.
fn describe_to_anthropic(model: &ModelName) -> Value {
    json!({
        "type": "model",
        "id": model.as_str(),
        "display_name": model.as_str(),
        "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active",
    })
}
