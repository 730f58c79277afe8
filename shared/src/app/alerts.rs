//! Alerts as an admin reads them, and says of one that it is being seen to.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::administer::{Admin, TRIES};
use super::change::Change;
use super::error::GatewayError;
use crate::domain::alert::{Alert, AlertId, AlertPlace, Entry};
use crate::domain::audit::{Action, Outcome, Who};
use crate::domain::time::Timestamp;
use crate::ports::{AlertQuery, StoreError};

/// How far a listing reaches back unless it says.
const SPAN: Duration = Duration::from_secs(30 * 86_400);

/// Which alerts an admin asks for, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertQuestion {
    /// 30 days ago, where it is not given.
    pub since: Option<Timestamp>,
    /// [`AlertList::next`] of the page before.
    pub after: Option<AlertPlace>,
    pub most: usize,
}

/// One alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertView {
    #[serde(flatten)]
    pub alert: Alert,
    /// In one line.
    pub title: String,
    /// The figures that it rests on, in words.
    pub facts: Vec<Fact>,
    pub cleared_at: Option<Timestamp>,
    pub acknowledged_at: Option<Timestamp>,
    /// The sinks that took it.
    pub delivered_to: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub name: String,
    pub value: String,
}

/// A page of alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertList {
    pub alerts: Vec<AlertView>,
    /// Where the next page begins; null where this was the last.
    pub next: Option<AlertPlace>,
}

impl Admin {
    /// Alerts, newest first.
    ///
    /// # Errors
    /// [`GatewayError::StoreDown`].
    pub async fn alerts(&self, asked: AlertQuestion) -> Result<AlertList, GatewayError> {
        let since = asked.since.unwrap_or_else(|| self.clock.now() - SPAN);
        let query = AlertQuery { since, before: asked.after, most: asked.most };
        let page = self.registry.alerts().latest(&query).await.map_err(GatewayError::StoreDown)?;
        Ok(AlertList { alerts: page.entries.into_iter().map(AlertView::from).collect(), next: page.next })
    }

    /// One alert.
    ///
    /// # Errors
    /// [`GatewayError::NotFound`], or [`GatewayError::StoreDown`].
    pub async fn alert(&self, id: &str) -> Result<AlertView, GatewayError> {
        self.alert_entry(id).await.map(AlertView::from)
    }

    /// Notes that somebody sees to an alert. The first time stays. Sinks are told as before.
    ///
    /// # Errors
    /// [`GatewayError::NotFound`], or [`GatewayError::StoreDown`].
    pub async fn acknowledge(&self, who: &Who, id: &str) -> Result<AlertView, GatewayError> {
        for _ in 0..TRIES {
            let standing = self.alert_entry(id).await?;
            if standing.acknowledged_at.is_some() {
                return Ok(standing.into());
            }
            let now = self.clock.now();
            let next = Entry { acknowledged_at: Some(now), ..standing.clone() };
            let (old, new) = (AlertView::from(standing), AlertView::from(next.clone()));
            let change = Change::new(Action::AcknowledgeAlert, format!("alert/{id}"), Some(&old), Some(&new));
            let permit = self.registry.begin(who, now, change).await?;
            let is_swapped = permit.alerts().swap_alert(&next).await.map_err(GatewayError::StoreDown)?;
            // The first of two sends may have landed, and its answer was lost.
            if is_swapped || self.alert_entry(id).await?.acknowledged_at == next.acknowledged_at {
                permit.conclude(Outcome::Done).await;
                return Ok(new);
            }
            // It was told to a sink in between.
            permit.conclude(Outcome::NotDone).await;
        }
        Err(GatewayError::StoreDown(StoreError::Rejected("the alert kept changing".to_owned())))
    }

    async fn alert_entry(&self, id: &str) -> Result<Entry, GatewayError> {
        let unknown = || GatewayError::NotFound { what: format!("there is no alert {id:?}") };
        let parsed: AlertId = id.parse().map_err(|_| unknown())?;
        let found = self.registry.alerts().find_alert(&parsed).await.map_err(GatewayError::StoreDown)?;
        found.ok_or_else(unknown)
    }
}

impl From<Entry> for AlertView {
    fn from(entry: Entry) -> Self {
        let told = entry.deliveries.into_iter().filter(|(_, delivery)| delivery.told.is_some());
        let facts = entry.alert.facts().into_iter();
        AlertView {
            title: entry.alert.title(),
            facts: facts.map(|(name, value)| Fact { name: name.to_owned(), value }).collect(),
            cleared_at: entry.cleared_at,
            acknowledged_at: entry.acknowledged_at,
            delivered_to: told.map(|(sink, _)| sink).collect(),
            alert: entry.alert,
        }
    }
}
