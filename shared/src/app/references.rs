//! Answers that a Responses caller may refer to: kept for a day under the caller and the request.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::App;
use super::authenticate::Presented;
use super::best_effort::best_effort;
use super::error::GatewayError;
use crate::domain::cache::CacheKey;
use crate::domain::time::Timestamp;
use crate::ports::CachedAnswer;
use crate::protocol::answer::Answer;
use crate::protocol::fields::BadRequest;
use crate::protocol::responses::references;

const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);
/// Answers that one request may refer to; each is a look-up.
const ANSWERS_MAX: usize = 64;

/// Where the answer to a request is kept: nobody but its caller finds it.
#[derive(Clone, Debug)]
pub(super) struct Keeper {
    pub key_id: String,
    pub user: Option<String>,
}

impl Keeper {
    pub(super) fn of(presented: &Presented<'_>) -> Self {
        Keeper { key_id: presented.key_id().to_owned(), user: presented.user().map(str::to_owned) }
    }

    fn key(&self, request_id: &str) -> CacheKey {
        CacheKey::of(&json!(["response", self.key_id, self.user, request_id]))
    }

    /// Keeps an answer. Best effort: without it, the next request that refers to it is refused.
    pub(super) async fn keep(&self, app: &App, request_id: &str, answer: &Answer, now: Timestamp) {
        let entry = CachedAnswer {
            answer: answer.clone(),
            served_by: String::new(),
            created_at: now,
            question: None,
            vector: None,
            labels: None,
        };
        let (key, expires) = (self.key(request_id), now + KEPT_FOR);
        let lost = format!("the answer to {request_id} cannot be referred to");
        best_effort(app.tuning.settle, &lost, app.answers.put(&key, &entry, expires)).await;
    }
}

/// Puts the items that the body of a Responses request refers to in its place. What is found for
/// the key that was presented is used only if the key turns out to be genuine.
///
/// # Errors
/// [`GatewayError::Unauthorized`], [`GatewayError::BadRequest`] naming the reference, or
/// [`GatewayError::StoreDown`].
pub async fn restore(
    app: &Arc<App>,
    token: Option<&str>,
    body: &mut Map<String, Value>,
) -> Result<(), GatewayError> {
    let requests = references::requests_of(body);
    if requests.is_empty() {
        return Ok(());
    }
    if requests.len() > ANSWERS_MAX {
        let text = format!("input may refer to the items of at most {ANSWERS_MAX} answers");
        return Err(BadRequest::new("input", text).into());
    }
    let now = app.clock.now();
    let keeper = Keeper::of(&Presented::read(token, &app.pepper, now)?);
    let found = requests.into_iter().map(async |request_id| {
        let entry = app.answers.get(&keeper.key(&request_id)).await?;
        Ok(entry.filter(|entry| now < entry.created_at + KEPT_FOR).map(|entry| (request_id, entry.answer)))
    });
    let found = futures_util::future::try_join_all(found).await.map_err(GatewayError::StoreDown)?;
    let answers: BTreeMap<String, Answer> = found.into_iter().flatten().collect();
    Ok(references::restore(body, &answers)?)
}
