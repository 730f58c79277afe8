//! What lies beside a vector: all that its finder must know to judge and to compare.

use serde::{Deserialize, Serialize};

use crate::domain::cache::{CacheKey, Kept, Labels};
use crate::domain::time::Timestamp;
use crate::domain::verdict::AnswerMark;
use crate::ports::CachedAnswer;
use crate::protocol::answer::Answer;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payload {
    /// Of the entry.
    pub key: CacheKey,
    pub question: String,
    pub answer: AnswerMark,
    pub created_at: Timestamp,
    pub labels: Labels,
    /// The model's own name for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

impl Payload {
    pub(super) fn new(
        key: &CacheKey,
        question: &str,
        labels: &Labels,
        entry: &CachedAnswer,
        answer: AnswerMark,
    ) -> Self {
        Payload {
            key: key.clone(),
            question: question.to_owned(),
            answer,
            created_at: entry.created_at,
            labels: labels.clone(),
            model: entry.answer.model.clone(),
            fingerprint: entry.answer.fingerprint.clone(),
        }
    }

    /// None for what another version wrote.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn kept(&self) -> Kept<'_> {
        Kept {
            labels: &self.labels,
            created: self.created_at,
            model: self.model.as_deref(),
            fingerprint: self.fingerprint.as_deref(),
        }
    }
}

/// What an answer says.
pub(super) fn said(answer: &Answer) -> &str {
    answer.choices.first().and_then(|choice| choice.content.as_deref()).unwrap_or_default()
}
