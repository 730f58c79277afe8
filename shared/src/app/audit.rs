//! The log of changes, as an admin reads it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::administer::Admin;
use super::error::GatewayError;
use crate::domain::audit::{Action, AuditId, Outcome, Recorded, Who};
use crate::domain::time::Timestamp;
use crate::ports::AuditQuery;

/// How far a listing reaches back unless it says.
const SPAN: Duration = Duration::from_secs(30 * 86_400);

/// Which changes an admin asks for, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuestion {
    /// 30 days before the end, where it is not given.
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// `key/abc`, `team/acme/search`.
    pub subject: Option<String>,
    /// [`AuditList::next`] of the page before.
    pub after: Option<AuditId>,
    pub most: usize,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditView {
    pub id: AuditId,
    pub at: String,
    pub who: Who,
    pub action: Action,
    pub subject: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
    /// Null where nobody could note it: the change may have been made, in part or in whole.
    pub outcome: Option<Outcome>,
}

/// A page of changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditList {
    pub entries: Vec<AuditView>,
    /// Where the next page begins; null where this was the last.
    pub next: Option<AuditId>,
}

impl Admin {
    /// Changes, newest first.
    ///
    /// # Errors
    /// [`GatewayError::StoreDown`].
    pub async fn audit(&self, asked: AuditQuestion) -> Result<AuditList, GatewayError> {
        // An entry of this moment may have been written by a clock that is a little ahead.
        let until = asked.until.unwrap_or_else(|| self.clock.now() + Duration::from_secs(600));
        let end = AuditId::first_at(until);
        let query = AuditQuery {
            since: asked.since.unwrap_or(until - SPAN),
            before: asked.after.map_or(end, |after| after.min(end)),
            subject: asked.subject,
            most: asked.most,
        };
        let page = self.registry.log().page(&query).await.map_err(GatewayError::StoreDown)?;
        Ok(AuditList { entries: page.entries.into_iter().map(view).collect(), next: page.next })
    }
}

fn view(recorded: Recorded) -> AuditView {
    let Recorded { entry, outcome } = recorded;
    AuditView {
        id: entry.id,
        at: entry.id.at().rfc3339(),
        who: entry.who,
        action: entry.action,
        subject: entry.subject,
        before: entry.before,
        after: entry.after,
        outcome,
    }
}
