//! Who is told what, and when not.

use super::{Alert, Severity};
use crate::domain::time::Timestamp;

/// One sink and what it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its name in the outbox: the same as long as its address is.
    pub sink: String,
    /// Tenants whose alerts it takes; none is all, and the operator's own.
    pub tenants: Option<Vec<String>>,
    pub min_severity: Severity,
    /// It keeps incidents open, and wants to hear that one is over.
    pub resolves: bool,
    pub quiet: Vec<QuietHours>,
}

/// Hours of the day in which nothing below [`Severity::Critical`] is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// Whose alerts they hold back; none is all.
    pub tenants: Option<Vec<String>>,
    /// Minutes after midnight, 0 to 1,439. Where the end is no later than the start, it is on the next day.
    pub from: u16,
    pub to: u16,
    /// Minutes that the clock on the wall is ahead of UTC.
    pub utc_offset: i16,
}

impl Route {
    /// Whether the sink takes this alert at all.
    pub fn takes(&self, alert: &Alert) -> bool {
        alert.severity >= self.min_severity && concerns(self.tenants.as_deref(), alert)
    }

    /// Whether it is to wait.
    pub fn is_quiet(&self, alert: &Alert, now: Timestamp) -> bool {
        alert.severity < Severity::Critical
            && self.quiet.iter().any(|hours| concerns(hours.tenants.as_deref(), alert) && hours.hold(now))
    }
}

fn concerns(tenants: Option<&[String]>, alert: &Alert) -> bool {
    tenants.is_none_or(|tenants| alert.tenant.as_ref().is_some_and(|tenant| tenants.contains(tenant)))
}

impl QuietHours {
    fn hold(&self, now: Timestamp) -> bool {
        let minute = (now.minute() + i64::from(self.utc_offset)).rem_euclid(24 * 60);
        let (from, to) = (i64::from(self.from), i64::from(self.to));
        match from < to {
            true => (from..to).contains(&minute),
            false => minute >= from || minute < to,
        }
    }
}
