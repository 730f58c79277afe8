//! What lies beside a vector: all that its finder must know to judge and to compare.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::digest;
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

/// What an answer says, as far as two are compared by it: NFC, lower case, single spaces.
pub(super) fn said(answer: &Answer) -> String {
    let content = answer.choices.first().and_then(|choice| choice.content.as_deref()).unwrap_or_default();
    let lower = content.nfc().collect::<String>().to_lowercase();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The mark of an answer that says `text` and whose embedding is `vector`.
pub(super) fn mark(text: &str, vector: &[f32]) -> AnswerMark {
    let scaled = |component: &f32| ((component.clamp(-1.0, 1.0) * 127.0).round() as i8).to_le_bytes()[0];
    let bytes: Vec<u8> = vector.iter().map(scaled).collect();
    AnswerMark { digest: digest(text), vector: STANDARD.encode(bytes) }
}
