//! Tenants and teams. Nobody makes them: there are those that a key or a policy names.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join;
use serde::{Deserialize, Serialize};

use super::administer::{Admin, KeyView, view};
use super::budgets::{BudgetView, PolicyView, bare, policy_view};
use super::error::GatewayError;
use super::listing::Piece;
use crate::domain::counter::ScopeKind;
use crate::domain::key::KeyRecord;
use crate::domain::policy::{ScopeName, ScopePolicy};

/// Entries of each list that a tenant is shown with; the rest is in the list of its kind.
const SHOWN_MAX: usize = 100;

/// A tenant in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantView {
    pub id: String,
    /// Keys that are not revoked.
    pub keys: usize,
    pub teams: usize,
    /// Users with a policy of their own.
    pub users: usize,
    /// Null where nothing is set for it.
    pub policy: Option<PolicyView>,
}

/// A tenant with what belongs to it, of each kind the first hundred.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantDetails {
    pub tenant: TenantView,
    /// What holds for it and what it has spent; null where nothing is set.
    pub budget: Option<BudgetView>,
    pub keys: Vec<KeyView>,
    pub teams: Vec<TeamView>,
    pub users: Vec<BudgetView>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TeamView {
    pub tenant: String,
    pub id: String,
    /// Keys that are not revoked.
    pub keys: usize,
    /// Null where nothing is set for it.
    pub policy: Option<PolicyView>,
}

/// Some tenants, by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TenantList {
    pub tenants: Vec<TenantView>,
    pub next: Option<String>,
}

/// Some teams, by tenant and id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TeamList {
    pub teams: Vec<TeamView>,
    pub next: Option<String>,
}

impl Admin {
    /// # Errors
    /// [`GatewayError::StoreDown`].
    pub async fn tenants(&self, piece: &Piece) -> Result<TenantList, GatewayError> {
        let directory = self.directory().await?;
        let (tenants, next) = piece.of(directory.tenants(), |tenant| tenant.id.clone());
        Ok(TenantList { tenants, next })
    }

    /// One tenant.
    ///
    /// # Errors
    /// [`GatewayError::NotFound`] where no key and no policy names it, or [`GatewayError::StoreDown`].
    pub async fn tenant(&self, id: &str) -> Result<TenantDetails, GatewayError> {
        let directory = self.directory().await?;
        let found = directory.tenants().into_iter().find(|tenant| tenant.id == id);
        let unknown =
            || GatewayError::NotFound { what: format!("no key and no policy names the tenant {id:?}") };
        let tenant = found.ok_or_else(unknown)?;
        let name = ScopeName::tenant(id);
        let budget = match directory.policies.get(&name) {
            Some(policy) => Some(self.view(&name, policy, self.clock.now()).await?),
            None => None,
        };
        let keys = directory.keys.iter().filter(|record| record.tenant == id).map(view);
        let users = directory.policies.iter().filter(|(name, _)| is_of(name, ScopeKind::User, id));
        let teams = directory.teams().into_iter().filter(|team| team.tenant == id);
        Ok(TenantDetails {
            tenant,
            budget,
            keys: keys.take(SHOWN_MAX).collect(),
            users: users.map(|(name, policy)| bare(name, policy)).take(SHOWN_MAX).collect(),
            teams: teams.take(SHOWN_MAX).collect(),
        })
    }

    /// Teams, of one tenant or of all.
    ///
    /// # Errors
    /// [`GatewayError::StoreDown`].
    pub async fn teams(&self, tenant: Option<&str>, piece: &Piece) -> Result<TeamList, GatewayError> {
        let directory = self.directory().await?;
        let teams = directory.teams().into_iter().filter(|team| tenant.is_none_or(|id| team.tenant == id));
        // No tenant's name holds a `#`.
        let (teams, next) = piece.of(teams, |team| format!("{}#{}", team.tenant, team.id));
        Ok(TeamList { teams, next })
    }

    async fn directory(&self) -> Result<Directory, GatewayError> {
        let read = try_join(self.registry.list_keys().list(), self.registry.policies());
        let (mut keys, policies) = read.await.map_err(GatewayError::StoreDown)?;
        keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(Directory { keys, policies: policies.into_iter().collect() })
    }
}

/// Everything that names a tenant.
struct Directory {
    keys: Vec<KeyRecord>,
    policies: BTreeMap<ScopeName, ScopePolicy>,
}

impl Directory {
    fn tenants(&self) -> Vec<TenantView> {
        let teams = self.teams();
        let of_keys = self.keys.iter().map(|record| record.tenant.as_str());
        let of_policies = self.policies.keys().filter_map(tenant_of);
        let ids: BTreeSet<&str> = of_keys.chain(of_policies).collect();
        let tenant = |id: &str| TenantView {
            id: id.to_owned(),
            keys: self.active_keys(|record| record.tenant == id),
            teams: teams.iter().filter(|team| team.tenant == id).count(),
            users: self.policies.keys().filter(|name| is_of(name, ScopeKind::User, id)).count(),
            policy: self.policy(&ScopeName::tenant(id)),
        };
        ids.into_iter().map(tenant).collect()
    }

    fn teams(&self) -> Vec<TeamView> {
        let of_keys =
            self.keys.iter().filter_map(|record| Some((record.tenant.as_str(), record.team.as_deref()?)));
        let of_policies = self.policies.keys().filter(|name| name.kind == ScopeKind::Team);
        let of_policies = of_policies.filter_map(|name| Some((name.owner.as_deref()?, name.id.as_str())));
        let names: BTreeSet<(&str, &str)> = of_keys.chain(of_policies).collect();
        let team = |(tenant, id): (&str, &str)| TeamView {
            tenant: tenant.to_owned(),
            id: id.to_owned(),
            keys: self.active_keys(|record| record.tenant == tenant && record.team.as_deref() == Some(id)),
            policy: self.policy(&ScopeName::team(tenant, id)),
        };
        names.into_iter().map(team).collect()
    }

    fn active_keys(&self, is_meant: impl Fn(&KeyRecord) -> bool) -> usize {
        self.keys.iter().filter(|record| record.revoked_at.is_none() && is_meant(record)).count()
    }

    fn policy(&self, name: &ScopeName) -> Option<PolicyView> {
        self.policies.get(name).map(|policy| policy_view(&policy.own))
    }
}

fn is_of(name: &ScopeName, kind: ScopeKind, tenant: &str) -> bool {
    name.kind == kind && name.owner.as_deref() == Some(tenant)
}

/// Whose policy it is.
pub(super) fn tenant_of(name: &ScopeName) -> Option<&str> {
    match name.kind {
        ScopeKind::Tenant => Some(&name.id),
        ScopeKind::Team | ScopeKind::User => name.owner.as_deref(),
        ScopeKind::Key | ScopeKind::Session | ScopeKind::Token => None,
    }
}
