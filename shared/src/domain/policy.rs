//! What an admin sets for a scope: caps, limits, and whether it may spend at all.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::counter::{RateLimits, ScopeKind, ScopeState};
use super::money::NanoUsd;
use super::time::{Period, Timestamp};

/// A cap for one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    pub cap: NanoUsd,
    pub period: Period,
}

/// What holds for one scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Policy {
    /// At most one for each period; all of them hold at once. None is no cap.
    pub budgets: Vec<Budget>,
    pub limits: RateLimits,
    pub state: ScopeState,
    /// When it was last changed. Of two policies for a scope, the later one holds.
    pub version: Timestamp,
}

/// The policy of a scope, and what its members get that have none of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ScopePolicy {
    pub own: Policy,
    /// Of a tenant: for each of its users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each_user: Option<Policy>,
    /// Of a tenant: for each session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each_session: Option<Policy>,
}

/// Names a scope among all of its kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeName {
    pub kind: ScopeKind,
    /// What its owner calls it.
    pub id: String,
    /// Whose it is, where two owners may use the same id: the tenant of a team or user, the key of
    /// a session.
    pub owner: Option<String>,
}

impl ScopeName {
    pub fn key(id: &str) -> Self {
        ScopeName { kind: ScopeKind::Key, id: id.to_owned(), owner: None }
    }

    pub fn token(id: &str) -> Self {
        ScopeName { kind: ScopeKind::Token, id: id.to_owned(), owner: None }
    }

    pub fn tenant(id: &str) -> Self {
        ScopeName { kind: ScopeKind::Tenant, id: id.to_owned(), owner: None }
    }

    pub fn team(tenant: &str, id: &str) -> Self {
        ScopeName { kind: ScopeKind::Team, id: id.to_owned(), owner: Some(tenant.to_owned()) }
    }

    pub fn user(tenant: &str, id: &str) -> Self {
        ScopeName { kind: ScopeKind::User, id: id.to_owned(), owner: Some(tenant.to_owned()) }
    }

    pub fn session(key: &str, id: &str) -> Self {
        ScopeName { kind: ScopeKind::Session, id: id.to_owned(), owner: Some(key.to_owned()) }
    }

    /// Unique within the kind. Owners hold no `#`, so no two names meet.
    pub fn qualified(&self) -> String {
        match &self.owner {
            Some(owner) => format!("{owner}#{}", self.id),
            None => self.id.clone(),
        }
    }
}

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.kind, self.qualified())
    }
}

impl Policy {
    /// Whether it says nothing that a counter would have to enforce.
    pub fn is_open(&self) -> bool {
        self.budgets.is_empty() && self.limits == RateLimits::default() && self.state == ScopeState::Active
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_of_different_owners_never_share_a_name() {
        let names = [
            ScopeName::user("acme", "b"),
            ScopeName::user("acme", "b#c"),
            ScopeName::user("other", "b"),
            ScopeName::team("acme", "b"),
            ScopeName::tenant("acme"),
        ];
        let distinct: std::collections::BTreeSet<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(distinct.len(), names.len());
    }

    #[test]
    fn a_policy_that_says_nothing_is_open() {
        assert!(Policy::default().is_open());
        assert!(!Policy { state: ScopeState::Stopped, ..Policy::default() }.is_open());
        let budget = Budget { cap: NanoUsd::ZERO, period: Period::Day };
        assert!(!Policy { budgets: vec![budget], ..Policy::default() }.is_open(), "a cap of 0 is a cap");
    }
}
