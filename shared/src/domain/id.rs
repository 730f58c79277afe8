//! Identifiers: ULIDs for attempts and requests, ordered by time and never reused.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::time::Timestamp;

/// One attempt at one provider: the id of its hold and of its ledger line. Unique per attempt and
/// never reused, which the hold protocol rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AttemptId(Ulid);

impl AttemptId {
    /// `random` must be fresh: 80 bits of it make the id unique.
    pub fn new(now: Timestamp, random: u128) -> Self {
        AttemptId(Ulid::from_parts(u64::try_from(now.millis()).unwrap_or(0), random))
    }

    pub fn at(self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for AttemptId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ulid::from_string(text).map(AttemptId).map_err(|error| format!("not an attempt id: {error}"))
    }
}

impl From<AttemptId> for String {
    fn from(id: AttemptId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for AttemptId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
