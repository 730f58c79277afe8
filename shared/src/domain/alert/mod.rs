//! What the operator is told, and how one telling is recognised as the same.

mod budget;
mod outbox;
mod route;
mod variance;
mod words;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use budget::{Standing, is_watched, period_of};
pub use outbox::{Delivery, Entry, SendError, Telling};
pub use route::{QuietHours, Route};
pub use variance::{VarianceLimits, WEEK_HOURS, variance};

use super::counter::ScopeKind;
use super::money::NanoUsd;
use super::time::Timestamp;

/// Equal for the same crossing, whoever sees it and however often.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertId(String);

impl AlertId {
    /// Of the parts that make one crossing: its kind, its subject, its period, its threshold.
    pub fn of(parts: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            // The length keeps two lists of parts apart whose texts run together alike.
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let digest = digest.finalize();
        AlertId(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
    }

    /// 32 lowercase hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AlertId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match text.len() == 32 && text.bytes().all(is_digit) {
            true => Ok(AlertId(text.to_owned())),
            false => Err(format!("not the id of an alert: {text:?}")),
        }
    }
}

/// Where an alert stands among all: by the time when it was first seen. Written `MILLIS-ID`, so that
/// texts sort as places do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AlertPlace {
    pub at: Timestamp,
    pub id: AlertId,
}

impl fmt::Display for AlertPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:015}-{}", self.at.millis().max(0), self.id.as_str())
    }
}

impl FromStr for AlertPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('-').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
        let (at, id) = parts.ok_or_else(|| format!("not the place of an alert: {text:?}"))?;
        Ok(AlertPlace { at: Timestamp::from_millis(at), id })
    }
}

impl From<AlertPlace> for String {
    fn from(place: AlertPlace) -> String {
        place.to_string()
    }
}

impl TryFrom<String> for AlertPlace {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// How soon somebody should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

/// One telling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    pub id: AlertId,
    /// When it was first seen.
    pub at: Timestamp,
    pub severity: Severity,
    /// Whose concern it is; none is the operator's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    #[serde(flatten)]
    pub about: About,
}

impl Alert {
    pub fn place(&self) -> AlertPlace {
        AlertPlace { at: self.at, id: self.id.clone() }
    }
}

/// What it is about, with the figures that it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum About {
    /// A budget has come to one of `billing.alert_thresholds`.
    Budget {
        budget: BudgetAt,
        threshold_ppm: u32,
        spent_usd: NanoUsd,
        held_usd: NanoUsd,
        /// Whether a request was refused because the rest did not suffice.
        refused: bool,
    },
    /// At the present rate a budget ends before its period does.
    Forecast { budget: BudgetAt, spent_usd: NanoUsd, ends_at: Timestamp },
    /// An hour cost more than the hour that it is compared with.
    CostVariance { hour: i64, cost_usd: NanoUsd, compared_hour: i64, compared_usd: NanoUsd },
    /// The gateway's own time at the 95th percentile.
    GatewayLatency { p95_ms: u64, limit_ms: u64 },
    /// Share of requests that needed a fallback, in millionths.
    FallbackRate { rate_ppm: u32, limit_ppm: u32 },
    /// Messages wait that nobody could carry out.
    DeadLetters { queue: String, waiting: u64 },
    /// Holds were ended by the sweep, since nobody settled them.
    Sweeps { estimated: u64, failed: u64 },
    /// A key spends unlike itself.
    Anomaly { key: String, action: ThrottleAction, evidence: AnomalyEvidence },
}

/// A budget in one period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetAt {
    pub scope: ScopeKind,
    pub id: String,
    /// [`super::time::Period::label`].
    pub period: String,
    pub cap_usd: NanoUsd,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<Timestamp>,
}

/// What was done about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThrottleAction {
    /// Nothing: the mode is to observe.
    Observed,
    Slowed,
    Stopped,
    Released,
}

/// What a key spent against what is usual for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnomalyEvidence {
    /// Seconds looked at.
    pub window_seconds: u32,
    pub spent_usd: NanoUsd,
    pub requests: u64,
    /// What was to be expected at most in such a window.
    pub expected_usd: NanoUsd,
    /// The same of `requests`.
    #[serde(default)]
    pub expected_requests: u64,
}
