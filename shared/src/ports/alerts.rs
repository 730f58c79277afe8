//! What telling the operator needs of the outside.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::alert::Alert;
use crate::domain::time::Timestamp;

/// Takes alerts for delivery.
#[async_trait]
pub trait RaiseAlert: Send + Sync {
    /// Puts an alert that is not there yet. False when it was: the first stays. Safe to repeat.
    async fn raise(&self, alert: &Alert) -> Result<bool, StoreError>;
}

/// An alert and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    pub alert: Alert,
    /// When what it told of was over.
    pub cleared_at: Option<Timestamp>,
    /// The sinks that took it.
    pub delivered_to: Vec<String>,
}

/// Lists alerts.
#[async_trait]
pub trait ReadAlerts: Send + Sync {
    /// Those first seen at or after `since`, newest first, at most `most` of them.
    async fn latest(&self, since: Timestamp, most: usize) -> Result<Vec<Raised>, StoreError>;
}
