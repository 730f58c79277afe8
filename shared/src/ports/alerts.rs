//! What telling the operator needs of the outside.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::alert::{Alert, AlertId, AlertPlace, Entry, SendError, Telling};
use crate::domain::time::Timestamp;

/// Takes alerts for delivery.
#[async_trait]
pub trait RaiseAlert: Send + Sync {
    /// Puts an alert that is not there yet. False when it was: the first stays. Safe to repeat.
    async fn raise(&self, alert: &Alert) -> Result<bool, StoreError>;
}

/// Which alerts, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertQuery {
    /// First seen then or later.
    pub since: Timestamp,
    /// Only those that stand before.
    pub before: Option<AlertPlace>,
    pub most: usize,
}

/// Some alerts, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertPage {
    pub entries: Vec<Entry>,
    /// What the next page is before; none where this was the last.
    pub next: Option<AlertPlace>,
}

/// Lists alerts.
#[async_trait]
pub trait ReadAlerts: Send + Sync {
    async fn latest(&self, asked: &AlertQuery) -> Result<AlertPage, StoreError>;
    /// A strongly consistent read.
    async fn find_alert(&self, id: &AlertId) -> Result<Option<Entry>, StoreError>;
}

/// Alerts on their way.
#[async_trait]
pub trait Outbox: RaiseAlert + ReadAlerts {
    /// Those first seen at or after `since` of which somebody may still have to be told, oldest first. A
    /// change of a moment ago may be missing.
    async fn open_alerts(&self, since: Timestamp) -> Result<Vec<Entry>, StoreError>;
    /// Puts the entry, with a version greater by one, in the place of the one of its version. False when
    /// another stands there.
    async fn swap_alert(&self, entry: &Entry) -> Result<bool, StoreError>;
}

/// Where alerts go.
#[async_trait]
pub trait SendAlert: Send + Sync {
    /// Tells the sink of this name. It must be able to recognise an alert that it was told before.
    async fn send(&self, sink: &str, alert: &Alert, telling: Telling) -> Result<(), SendError>;
}

/// How the gateway has been in the last minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vitals {
    /// Milliseconds of the gateway's own time at the 95th percentile; none where too few called.
    pub p95_ms: Option<u64>,
    /// Share of requests that needed a fallback, in millionths; none where too few could.
    pub fallback_ppm: Option<u32>,
}

impl Vitals {
    /// The minutes that are looked at together.
    pub const WINDOW: Duration = Duration::from_secs(300);
    /// Of fewer requests a single slow or unlucky one would be a share to wake somebody for.
    pub const REQUESTS_MIN: u64 = 20;
}

/// Reads how the gateway is.
#[async_trait]
pub trait ReadMetrics: Send + Sync {
    async fn vitals(&self, now: Timestamp) -> Result<Vitals, StoreError>;
    /// Messages that nobody could carry out, by queue.
    async fn dead_letters(&self) -> Result<Vec<(String, u64)>, StoreError>;
}
