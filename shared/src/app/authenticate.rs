//! Who is calling.

use std::sync::Arc;

use super::App;
use super::error::GatewayError;
use super::unavailable::Unavailable;
use crate::config::ModelName;
use crate::domain::key::{KeyRecord, Pepper, PresentedKey};
use crate::domain::time::Timestamp;
use crate::domain::token::Claims;
use crate::ports::FindKey;

/// A caller whose key is known, unrevoked and theirs.
#[derive(Clone, Debug)]
pub struct Caller {
    record: Arc<KeyRecord>,
    /// What a browser-safe token leaves of the key.
    claims: Option<Arc<Claims>>,
}

/// What a request came with, well formed; whether the key is genuine is not known yet. A token is
/// genuine: its signature was checked.
pub enum Presented<'a> {
    Key(PresentedKey<'a>),
    Token(Arc<Claims>),
}

impl<'a> Presented<'a> {
    /// # Errors
    /// [`GatewayError::Unauthorized`] for what is neither a key nor a token.
    pub fn read(token: Option<&'a str>, pepper: &Pepper, now: Timestamp) -> Result<Self, GatewayError> {
        let token = token.ok_or(GatewayError::Unauthorized)?;
        let read = match Claims::looks_like(token) {
            true => Claims::read(token, pepper, now).map(|claims| Presented::Token(Arc::new(claims))),
            false => PresentedKey::parse(token).map(Presented::Key),
        };
        read.ok_or(GatewayError::Unauthorized)
    }

    /// The key that is drawn on.
    pub fn key_id(&self) -> &str {
        match self {
            Presented::Key(key) => key.id,
            Presented::Token(claims) => &claims.key_id,
        }
    }

    /// The user whose token it is, whatever the request says.
    pub fn user(&self) -> Option<&str> {
        match self {
            Presented::Key(_) => None,
            Presented::Token(claims) => Some(&claims.user),
        }
    }
}

/// Checks the key. Unknown, wrong and revoked keys take the same path and get the same answer.
///
/// # Errors
/// [`GatewayError::Unauthorized`], or [`GatewayError::StoreDown`]: keys fail closed.
pub async fn authenticate(app: &App, presented: &Presented<'_>) -> Result<Caller, GatewayError> {
    let record = app.keys.find(presented.key_id()).await.map_err(GatewayError::StoreDown)?;
    let (genuine, claims) = match presented {
        Presented::Key(key) => (key.matches(record.as_ref(), &app.pepper), None),
        Presented::Token(claims) => (record.is_some(), Some(Arc::clone(claims))),
    };
    caller(record, genuine, claims)
}

/// Reads and checks what a request came with.
///
/// # Errors
/// As [`authenticate`].
pub async fn authenticate_token(app: &App, token: Option<&str>) -> Result<Caller, GatewayError> {
    authenticate(app, &Presented::read(token, &app.pepper, app.clock.now())?).await
}

/// Checks a key for functions that need nothing else of [`App`]; tokens are not for them.
///
/// # Errors
/// [`GatewayError::Unauthorized`], or [`GatewayError::Unavailable`].
pub async fn authenticate_key(
    keys: &dyn FindKey,
    pepper: &Pepper,
    token: Option<&str>,
) -> Result<Caller, GatewayError> {
    let presented = token.and_then(PresentedKey::parse).ok_or(GatewayError::Unauthorized)?;
    let found = keys.find(presented.id).await;
    let record = found.map_err(|error| Unavailable::Keys.because(error))?;
    let genuine = presented.matches(record.as_ref(), pepper);
    caller(record, genuine, None)
}

fn caller(
    record: Option<KeyRecord>,
    genuine: bool,
    claims: Option<Arc<Claims>>,
) -> Result<Caller, GatewayError> {
    match record {
        Some(record) if genuine && record.revoked_at.is_none() => {
            Ok(Caller { record: Arc::new(record), claims })
        }
        _ => Err(GatewayError::Unauthorized),
    }
}

impl Caller {
    /// The same by the key as the store has it now.
    ///
    /// # Errors
    /// As [`authenticate`].
    pub(super) async fn afresh(&self, app: &App) -> Result<Caller, GatewayError> {
        let record = app.keys.find_afresh(&self.record.id).await.map_err(GatewayError::StoreDown)?;
        caller(record, true, self.claims.clone())
    }

    pub fn record(&self) -> &KeyRecord {
        &self.record
    }

    /// What the token that was used leaves of the key.
    pub fn claims(&self) -> Option<&Claims> {
        self.claims.as_deref()
    }

    /// # Errors
    /// [`GatewayError::ModelForbidden`] when the key or the token is limited to other models.
    pub fn may_use(&self, model: &ModelName) -> Result<(), GatewayError> {
        let lists = [self.record.models.as_ref(), self.claims().and_then(|claims| claims.models.as_ref())];
        let allowed = |models: &Vec<String>| {
            models.iter().any(|name| name.parse::<ModelName>().is_ok_and(|name| name == *model))
        };
        match lists.into_iter().flatten().all(allowed) {
            true => Ok(()),
            false => Err(GatewayError::ModelForbidden { model: model.to_string() }),
        }
    }
}
