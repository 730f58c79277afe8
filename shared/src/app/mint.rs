//! Browser-safe tokens: a key's holder mints one for an end user.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use super::App;
use super::authenticate::{Caller, authenticate_token};
use super::error::GatewayError;
use super::fields::{amount, limit, models};
use super::random::fresh_id;
use crate::domain::money::NanoUsd;
use crate::domain::token::{Claims, LIFETIME_MAX};
use crate::protocol::fields::{BadRequest, Fields};

/// How long a token lives where the holder does not say.
const LIFETIME: Duration = Duration::from_secs(900);
/// Longest name of an end user, in bytes.
const USER_MAX: usize = 256;

/// The answer of `POST /v1/tokens`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Minted {
    pub token: String,
    pub id: String,
    pub user_id: String,
    pub expires_at: String,
    pub models: Option<Vec<String>>,
    pub budget_usd: Option<NanoUsd>,
    pub rpm: Option<i64>,
}

/// Mints a token for the holder of `key`. Fields: `userId`, `ttlSeconds` (1 to 3600), `models`,
/// `budgetUsd` (decimal string), `rpm`.
///
/// # Errors
/// [`GatewayError::Unauthorized`], [`GatewayError::TokenForbidden`] for a token instead of a key,
/// [`GatewayError::ModelForbidden`] for a model beyond the key's own, or
/// [`GatewayError::BadRequest`] naming the field.
pub async fn mint(
    app: &App,
    key: Option<&str>,
    body: Result<Map<String, Value>, GatewayError>,
) -> Result<Minted, GatewayError> {
    let caller = authenticate_token(app, key).await?;
    if caller.claims().is_some() {
        return Err(GatewayError::TokenForbidden);
    }
    let claims = claims(app, &caller, Fields::new(body?))?;
    Ok(Minted {
        token: claims.sign(&app.pepper),
        id: claims.id,
        user_id: claims.user,
        expires_at: claims.expires.rfc3339(),
        models: claims.models,
        budget_usd: claims.budget,
        rpm: claims.requests,
    })
}

fn claims(app: &App, caller: &Caller, mut fields: Fields) -> Result<Claims, GatewayError> {
    let now = app.clock.now();
    let ttl = fields.whole("ttlSeconds", 1, LIFETIME_MAX.as_secs())?.unwrap_or(LIFETIME.as_secs());
    let claims = Claims {
        id: fresh_id(app, now).to_string(),
        key_id: caller.record().id.clone(),
        pepper_version: app.pepper.version,
        user: user(&mut fields)?,
        expires: now + Duration::from_secs(ttl),
        models: models(&mut fields)?,
        budget: amount(&mut fields, "budgetUsd")?,
        requests: limit(&mut fields, "rpm")?,
    };
    for model in claims.models.iter().flatten().filter_map(|name| name.parse().ok()) {
        caller.may_use(&model)?;
    }
    fields.nothing_else()?;
    Ok(claims)
}

fn user(fields: &mut Fields) -> Result<String, BadRequest> {
    let user = fields.required_string("userId")?;
    match user.len() <= USER_MAX && !user.chars().any(char::is_control) {
        true => Ok(user),
        false => Err(BadRequest::new(
            "userId",
            format!("userId must have at most {USER_MAX} bytes, none of them a control character"),
        )),
    }
}
