//! What an admin changed, kept so that it can be looked up.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use ulid::Ulid;

use super::time::Timestamp;

/// Names one entry; ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AuditId(Ulid);

impl AuditId {
    /// `random` must be fresh: 80 bits of it make the id unique.
    pub fn new(now: Timestamp, random: u128) -> Self {
        AuditId(Ulid::from_parts(u64::try_from(now.millis()).unwrap_or(0), random))
    }

    /// Before every entry of that moment and after every earlier one.
    pub fn first_at(at: Timestamp) -> Self {
        AuditId::new(at, 0)
    }

    /// The greatest that is less.
    #[must_use]
    pub fn previous(self) -> Self {
        AuditId(Ulid(self.0.0.saturating_sub(1)))
    }

    /// The least that is greater.
    #[must_use]
    pub fn following(self) -> Self {
        AuditId(Ulid(self.0.0.saturating_add(1)))
    }

    pub fn at(self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for AuditId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for AuditId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ulid::from_string(text).map(AuditId).map_err(|error| format!("not the id of an entry: {error}"))
    }
}

impl From<AuditId> for String {
    fn from(id: AuditId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for AuditId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Who changed something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Who {
    /// [`super::key::fingerprint`] of the admin key that was used.
    pub key: String,
    /// Whom the caller named; several people may share a key, and nothing proves the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The address that the call came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// What was done to the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    #[serde(rename = "key.create")]
    CreateKey,
    #[serde(rename = "key.update")]
    UpdateKey,
    #[serde(rename = "key.revoke")]
    RevokeKey,
    #[serde(rename = "key.release")]
    ReleaseKey,
    #[serde(rename = "budget.set")]
    SetBudget,
    #[serde(rename = "alert.acknowledge")]
    AcknowledgeAlert,
    /// Written by a later version.
    #[serde(other, rename = "other")]
    Other,
}

/// One change, written before it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    pub id: AuditId,
    #[serde(flatten)]
    pub who: Who,
    pub action: Action,
    /// Kind and id, with the owner between where it has one: `key/abc`, `team/acme/search`, `alert/0f…`.
    pub subject: String,
    /// What stood there, as the admin API shows it; none where nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What was to stand there instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// What came of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    /// Nothing was changed: what stood there was no longer what the admin had read.
    NotDone,
}

/// An entry and what is known of its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub entry: AuditEntry,
    /// None where nobody could note it: the change may have been made, in part or in whole.
    pub outcome: Option<Outcome>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn entries_of_a_moment_lie_between_its_first_and_that_of_the_next() {
        let at = Timestamp::from_millis(1_798_761_570_000);
        let next = Timestamp::from_millis(1_798_761_570_001);
        let id = AuditId::new(at, u128::MAX);
        assert!(AuditId::first_at(at) < id && id < AuditId::first_at(next));
        assert_eq!(id.at(), at);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("nonsense".parse::<AuditId>().is_err());
    }

    #[test]
    fn an_action_of_a_later_version_can_be_read() {
        let entry = json!({ "id": "01M83T4CM01ZPWQAC7CN1J23ZD", "key": "k", "action": "moon.paint", "subject": "moon" });
        let entry: AuditEntry = serde_json::from_value(entry).expect("readable");
        assert_eq!(entry.action, Action::Other);
    }
}
