//! `GET /v1/models`: what this key may ask for.

use std::sync::Arc;

use http::{HeaderMap, Response};
use serde_json::{Value, json};
use shared::app::App;
use shared::app::authenticate::{Caller, authenticate_token};
use shared::config::ModelName;
use shared::http::{Body, token};
use shared::protocol::dialect::Dialect;

use super::reply;

pub(crate) async fn list(app: &Arc<App>, headers: &HeaderMap, request_id: &str) -> Response<Body> {
    match authenticate_token(app, token(headers).as_deref()).await {
        Err(refused) => reply::refuse(&refused, Dialect::OpenAi, request_id),
        Ok(caller) => {
            let data: Vec<Value> = callable(app, &caller).iter().map(describe).collect();
            shared::http::json(200, request_id, &json!({ "object": "list", "data": data }))
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
