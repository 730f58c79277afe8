//! Who pays: the caller with every scope that bounds what the request may spend.

use futures_util::future::try_join3;

use super::App;
use super::authenticate::Caller;
use super::error::GatewayError;
use super::scope::{Scope, counters, own};
use crate::domain::counter::ScopeKind;
use crate::domain::money::NanoUsd;
use crate::domain::policy::{ScopeName, ScopePolicy};
use crate::protocol::fields::BadRequest;

/// The longest user or session id that can be counted, in bytes: it is part of an item's key.
const ID_BYTES_MAX: usize = 512;

/// Who a request is for, beside its key.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnBehalf<'a> {
    pub user: Option<&'a str>,
    pub session: Option<&'a str>,
}

/// A caller whose budgets are known. A hold takes one of these, so that none is forgotten.
#[derive(Clone, Debug)]
pub struct Spender {
    caller: Caller,
    user: Option<ScopeName>,
    session: Option<ScopeName>,
    scopes: Vec<Scope>,
}

impl Spender {
    /// Looks up what holds for the key, the token, the session, the user, the team and the tenant. A
    /// user without a policy has the tenant's for each user.
    ///
    /// # Errors
    /// [`GatewayError::StoreDown`]: budgets fail closed. [`GatewayError::BadRequest`] when the user
    /// or the session has an id that cannot be counted.
    pub async fn of(app: &App, caller: Caller, on_behalf: OnBehalf<'_>) -> Result<Self, GatewayError> {
        let record = caller.record();
        let user =
            on_behalf.user.filter(|user| !user.is_empty()).map(|user| ScopeName::user(&record.tenant, user));
        let session = on_behalf.session.map(|session| ScopeName::session(&record.id, session));
        check_id("user", user.as_ref())?;
        check_id("session", session.as_ref())?;
        Spender { caller, user, session, scopes: Vec::new() }.bounded(app, Copies::Remembered).await
    }

    /// The same by what the store has now: a counter has shown that a copy is too old.
    ///
    /// # Errors
    /// As [`Spender::of`], and [`GatewayError::Unauthorized`] where the key was revoked.
    pub(super) async fn afresh(&self, app: &App) -> Result<Self, GatewayError> {
        let caller = self.caller.afresh(app).await?;
        let (user, session) = (self.user.clone(), self.session.clone());
        Spender { caller, user, session, scopes: Vec::new() }.bounded(app, Copies::Read).await
    }

    async fn bounded(self, app: &App, copies: Copies) -> Result<Self, GatewayError> {
        let record = self.caller.record();
        let tenant = ScopeName::tenant(&record.tenant);
        let team = record.team.as_deref().map(|team| ScopeName::team(&record.tenant, team));
        let (of_tenant, of_team, of_user) = try_join3(
            copies.find(app, Some(&tenant)),
            copies.find(app, team.as_ref()),
            copies.find(app, self.user.as_ref()),
        )
        .await?;
        let of_tenant = of_tenant.unwrap_or_default();
        let is_inherited = of_user.is_none();
        let of_user = of_user.map(|policy| policy.own).or(of_tenant.each_user);
        let policies = [
            (self.session.clone(), of_tenant.each_session),
            (self.user.clone(), of_user),
            (team, of_team.map(|policy| policy.own)),
            (Some(tenant), Some(of_tenant.own)),
        ];
        let mut scopes = own(&self.caller);
        for (name, policy) in policies.into_iter().filter_map(|(name, policy)| name.zip(policy)) {
            scopes.extend(counters(&name, &policy, false));
        }
        for scope in scopes.iter_mut().filter(|scope| scope.name.kind == ScopeKind::User) {
            scope.known.is_inherited = is_inherited;
        }
        Ok(Spender { scopes, ..self })
    }

    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    pub(super) fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// Where anybody set a cap for this request, only what can be priced may be asked.
    ///
    /// # Errors
    /// [`GatewayError::BadRequest`] naming `unlisted`, a field of the request that nobody listed.
    pub(super) fn may_ask(&self, unlisted: Option<&String>) -> Result<(), GatewayError> {
        let is_capped = self.scopes.iter().any(|scope| scope.allowance.cap != NanoUsd::UNLIMITED);
        match unlisted.filter(|_| is_capped) {
            None => Ok(()),
            Some(name) => {
                let text = format!(
                    "{name} is not a known field; keys with a budget may send only fields whose cost is known"
                );
                Err(BadRequest::new(name.as_str(), text).into())
            }
        }
    }
}

/// Where policies are looked up.
#[derive(Clone, Copy)]
enum Copies {
    Remembered,
    /// The store, though a copy is remembered.
    Read,
}

impl Copies {
    async fn find(self, app: &App, scope: Option<&ScopeName>) -> Result<Option<ScopePolicy>, GatewayError> {
        let Some(scope) = scope else { return Ok(None) };
        let found = match self {
            Copies::Remembered => app.policies.find_policy(scope).await,
            Copies::Read => app.policies.find_policy_afresh(scope).await,
        };
        found.map_err(GatewayError::StoreDown)
    }
}

fn check_id(param: &str, scope: Option<&ScopeName>) -> Result<(), BadRequest> {
    match scope.filter(|scope| scope.id.is_empty() || scope.id.len() > ID_BYTES_MAX) {
        None => Ok(()),
        Some(_) => {
            let text = format!("the id of the {param} must have 1 to {ID_BYTES_MAX} bytes to be counted");
            Err(BadRequest::new(param, text))
        }
    }
}
