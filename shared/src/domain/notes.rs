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

/// Where the answer was looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheStatus {
    Exact,
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
            "attempt": 2, "cache": "miss", "planned": ["a/x"],
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
