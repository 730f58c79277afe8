//! Who is calling.

use std::sync::Arc;

use super::App;
use super::error::GatewayError;
use crate::config::ModelName;
use crate::domain::key::{KeyRecord, Pepper, PresentedKey};
use crate::ports::FindKey;

/// A caller whose key is known, unrevoked and theirs.
#[derive(Clone, Debug)]
pub struct Caller {
    record: Arc<KeyRecord>,
}

/// Checks the key. Unknown, wrong and revoked keys take the same path and get the same answer.
///
/// # Errors
/// [`GatewayError::Unauthorized`], or [`GatewayError::StoreDown`]: keys fail closed.
pub async fn authenticate(app: &App, token: Option<&str>) -> Result<Caller, GatewayError> {
    authenticate_with(app.keys.as_ref(), &app.pepper, token).await
}

/// As [`authenticate`], for functions that need nothing else of [`App`].
///
/// # Errors
/// As [`authenticate`].
pub async fn authenticate_with(
    keys: &dyn FindKey,
    pepper: &Pepper,
    token: Option<&str>,
) -> Result<Caller, GatewayError> {
    let presented = token.and_then(PresentedKey::parse).ok_or(GatewayError::Unauthorized)?;
    let record = keys.find(presented.id).await.map_err(GatewayError::StoreDown)?;
    let genuine = presented.matches(record.as_ref(), pepper);
    match record {
        Some(record) if genuine && record.revoked_at.is_none() => Ok(Caller { record: Arc::new(record) }),
        _ => Err(GatewayError::Unauthorized),
    }
}

impl Caller {
    pub fn record(&self) -> &KeyRecord {
        &self.record
    }

    /// # Errors
    /// [`GatewayError::ModelForbidden`] when the key is limited to other models.
    pub fn may_use(&self, model: &ModelName) -> Result<(), GatewayError> {
        let allowed = self.record.models.as_ref().is_none_or(|models| {
            models.iter().any(|name| name.parse::<ModelName>().is_ok_and(|name| name == *model))
        });
        if allowed { Ok(()) } else { Err(GatewayError::ModelForbidden { model: model.to_string() }) }
    }
}
