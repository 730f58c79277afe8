//! When a budget is spoken of: what was spent of it, and when it will end.
#![deny(clippy::float_arithmetic)]

use std::time::Duration;

use super::{About, Alert, AlertId, BudgetAt, Severity};
use crate::domain::counter::{Counter, CounterKey, ScopeKind};
use crate::domain::money::NanoUsd;
use crate::domain::time::{Period, Timestamp};

/// One, in millionths.
const WHOLE_PPM: u32 = 1_000_000;
/// From this share of a budget on somebody should look.
const WARNING_PPM: u32 = 750_000;
/// A forecast rests on a tenth of the budget and of the period at least, and looks as far ahead.
const EVIDENCE: i128 = 10;

/// A budget as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub budget: BudgetAt,
    pub period: Period,
    pub tenant: Option<String>,
    pub spent: NanoUsd,
    pub held: NanoUsd,
    /// When a request was first refused for want of money.
    pub refused_at: Option<Timestamp>,
}

/// Which period a counter counts: the one that `now` lies in or the one before; none for an older one.
pub fn period_of(key: &CounterKey, now: Timestamp) -> Option<(Period, Timestamp)> {
    Period::ALL.into_iter().find_map(|period| {
        let starts_at = period.starts_at(now);
        let before = Timestamp::from_millis(starts_at.millis().saturating_sub(1));
        let within = [now, before].into_iter().find(|at| period.label(*at) == key.period)?;
        Some((period, within))
    })
}

/// Scopes whose budgets are spoken of. Sessions and browser tokens are their callers' own, and many.
pub fn is_watched(kind: ScopeKind) -> bool {
    matches!(kind, ScopeKind::Key | ScopeKind::User | ScopeKind::Team | ScopeKind::Tenant)
}

impl BudgetAt {
    /// The id of its counter, which begins with the tenant where others may have one of the name.
    pub fn counter_id(&self, tenant: Option<&str>) -> String {
        match tenant.filter(|_| owned(self.scope)) {
            Some(tenant) => format!("{tenant}#{}", self.id),
            None => self.id.clone(),
        }
    }
}

impl Standing {
    /// Of one counter, or of all counters of a scope as one; none where it has no cap, or counts an
    /// older period.
    pub fn of(key: &CounterKey, counter: &Counter, tenant: Option<String>, now: Timestamp) -> Option<Self> {
        let (period, within) = period_of(key, now)?;
        let resets_at = period.resets_at(within);
        let budget = BudgetAt {
            scope: key.kind,
            id: key.id.split_once('#').filter(|_| owned(key.kind)).map_or(&*key.id, |(_, id)| id).to_owned(),
            period: key.period.clone(),
            cap_usd: counter.cap,
            resets_at,
        };
        let (spent, held) = (counter.spent(), counter.held());
        let standing = Standing { budget, period, tenant, spent, held, refused_at: counter.refused_at };
        (counter.cap != NanoUsd::UNLIMITED).then_some(standing)
    }

    /// Whether `ppm` of the budget is spent. One that refuses counts as spent up: what is left of it is
    /// too little for what is asked.
    pub fn is_at(&self, ppm: u32) -> bool {
        let (spent, cap) = (i128::from(self.spent.nano()), i128::from(self.budget.cap_usd.nano()));
        self.refused_at.is_some() || cap > 0 && spent * i128::from(WHOLE_PPM) >= cap * i128::from(ppm)
    }

    /// One alert for each of `thresholds`, in millionths, that the budget has come to.
    pub fn crossings(&self, thresholds: &[u32], now: Timestamp) -> Vec<Alert> {
        let crossed = thresholds.iter().filter(|ppm| self.is_at(**ppm));
        let alert = |ppm: &u32| {
            self.alert(
                &ppm.to_string(),
                self.severity(*ppm),
                now,
                About::Budget {
                    budget: self.budget.clone(),
                    threshold_ppm: *ppm,
                    spent_usd: self.spent,
                    held_usd: self.held,
                    refused: self.refused_at.is_some(),
                },
            )
        };
        crossed.map(alert).collect()
    }

    /// A budget of a user is the user's concern first.
    fn severity(&self, ppm: u32) -> Severity {
        match (ppm, self.budget.scope) {
            (WHOLE_PPM.., ScopeKind::User) => Severity::Warning,
            (WHOLE_PPM.., _) => Severity::Critical,
            (_, ScopeKind::User) | (..WARNING_PPM, _) => Severity::Info,
            _ => Severity::Warning,
        }
    }

    /// The alert that the budget ends before its period does, if it goes on as it did since the period
    /// began. Periods below an hour end too soon for it to be of use, and the total one never does.
    pub fn forecast(&self, now: Timestamp) -> Option<Alert> {
        let resets_at = self.budget.resets_at.filter(|at| *at > now && self.period > Period::Minute)?;
        let starts_at = self.period.starts_at(now);
        let millis = |time: Duration| i128::try_from(time.as_millis()).unwrap_or(i128::MAX);
        let (elapsed, left) = (millis(now.since(starts_at)), millis(resets_at.since(now)));
        let (spent, cap) = (i128::from(self.spent.nano()), i128::from(self.budget.cap_usd.nano()));
        let is_founded = EVIDENCE * elapsed >= elapsed + left && EVIDENCE * spent >= cap && spent > 0;
        let is_over = spent >= cap || self.refused_at.is_some();
        let lasts = (cap - spent) * elapsed / spent.max(1);
        if !is_founded || is_over || EVIDENCE * (left - lasts) < elapsed + left {
            return None;
        }
        let ends_at = now + Duration::from_millis(u64::try_from(lasts).unwrap_or(u64::MAX));
        let about = About::Forecast { budget: self.budget.clone(), spent_usd: self.spent, ends_at };
        Some(self.alert("forecast", Severity::Warning, now, about))
    }

    fn alert(&self, what: &str, severity: Severity, now: Timestamp, about: About) -> Alert {
        let (scope, tenant) = (self.budget.scope.to_string(), self.tenant.as_deref().unwrap_or_default());
        let id = AlertId::of(&["budget", &scope, tenant, &self.budget.id, &self.budget.period, what]);
        Alert { id, at: now, severity, tenant: self.tenant.clone(), about }
    }
}

/// Whether the id of such a counter begins with its owner.
fn owned(kind: ScopeKind) -> bool {
    matches!(kind, ScopeKind::User | ScopeKind::Team | ScopeKind::Session)
}

#[cfg(test)]
mod tests;
