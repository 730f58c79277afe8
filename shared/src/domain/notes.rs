//! What led to an attempt: noted in its ledger line, so that the receipt of a request costs no
//! write of its own. No word of a prompt or an answer is ever in it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The notes of one line. They are short, since a line is written in units of a kilobyte.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notes {
    /// Attempts of the request are counted from one; a cache hit is none.
    pub attempt: u32,
    pub cache: CacheStatus,
    /// A provider embedded the question, to look for near ones: no attempt at an answer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub for_lookup: bool,
    /// Why the cache was passed by, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bypass: Option<String>,
    /// In the first line, what came of the search for near questions, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near: Option<Near>,
    /// In the first attempt: the models that were to be asked, in order, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planned: Vec<String>,
    /// Passed over since the attempt before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    pub spent: Spent,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// What came of a search for near questions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Near {
    /// The name of a verdict, or [`Near::TIMEOUT`], [`Near::ERROR`], [`Near::STALE`].
    pub came: String,
    /// Cosine of the nearest in ten-thousandths, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similarity: Option<i16>,
}

impl Near {
    /// Nothing was said in time.
    pub const TIMEOUT: &str = "timeout";
    /// The lookup failed, was throttled, or is not there.
    pub const ERROR: &str = "error";
    /// The entry that was found may not be given any more.
    pub const STALE: &str = "stale";

    pub fn new(came: impl Into<String>, similarity: Option<f32>) -> Self {
        // A cosine lies in -1..=1, so the product fits.
        let scaled = |cosine: f32| (cosine.clamp(-1.0, 1.0) * 10_000.0).round() as i16;
        Near { came: came.into(), similarity: similarity.map(scaled) }
    }

    /// Cosine of the nearest.
    pub fn cosine(&self) -> Option<f64> {
        self.similarity.map(|scaled| f64::from(scaled) / 10_000.0)
    }
}

/// Where the answer was looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheStatus {
    Exact,
    /// The answer to a near question.
    Semantic,
    Miss,
    #[default]
    Bypass,
}

/// A model that was not asked, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    pub model: String,
    #[serde(flatten)]
    pub why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Why {
    CircuitOpen,
    UnsupportedParameter {
        param: String,
    },
    KeyForbids,
    NoPrice,
    NoProvider,
    /// Nothing bounds what the images of the request cost there.
    Unbounded,
}

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub kind: FaultKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    Connect,
    Status,
    /// An error inside a 200.
    InStream,
    Timeout,
    BrokenOff,
}

/// Where the time went, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spent {
    /// The key; it is looked up while the cache is.
    pub auth: u64,
    pub cache: u64,
    /// The search for near questions, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<u64>,
    /// The admission of this attempt.
    pub admit: u64,
    /// From dispatch to the first content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token: Option<u64>,
    /// From dispatch to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<u64>,
}

/// Whole microseconds.
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn notes_keep_their_form() {
        let skipped = |model: &str, why| Skipped { model: model.to_owned(), why };
        let notes = Notes {
            attempt: 2,
            cache: CacheStatus::Miss,
            for_lookup: false,
            bypass: None,
            near: Some(Near::new("margin", Some(0.93125))),
            planned: vec!["a/x".to_owned()],
            skipped: vec![
                skipped("b/y", Why::CircuitOpen),
                skipped("c/z", Why::UnsupportedParameter { param: "n".to_owned() }),
            ],
            fault: Some(Fault { kind: FaultKind::Status, status: Some(503) }),
            spent: Spent {
                auth: 77,
                first_token: Some(micros(Duration::from_millis(2))),
                ..Spent::default()
            },
        };
        let form = json!({
            "attempt": 2, "cache": "miss", "near": { "came": "margin", "similarity": 9_313 }, "planned": ["a/x"],
            "skipped": [
                { "model": "b/y", "reason": "circuit_open" },
                { "model": "c/z", "reason": "unsupported_parameter", "param": "n" },
            ],
            "fault": { "kind": "status", "status": 503 },
            "spent": { "auth": 77, "cache": 0, "admit": 0, "firstToken": 2_000 },
        });
        assert_eq!(serde_json::to_value(&notes).expect("json"), form);
        assert_eq!(serde_json::from_value::<Notes>(form).expect("notes"), notes);
    }
}
