//! Keys, made, listed and revoked by an admin.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::budgets::{PolicyView, policy_view};
use super::error::GatewayError;
use super::fields::models;
use super::policy_fields::policy;
use super::random::OsRandomness;
use crate::domain::key::{self, KeyRecord, Pepper, PresentedKey, secrets_match};
use crate::domain::money::NanoUsd;
use crate::domain::policy::Policy;
use crate::domain::time::{Period, Timestamp};
use crate::ports::{Clock, Counters, ManageKeys, ManagePolicies, Randomness};
use crate::protocol::fields::{BadRequest, Fields};

/// Longest name of a key, tenant or team, in characters.
const NAME_MAX: usize = 128;

/// What the admin function needs.
pub struct Admin {
    pub keys: Arc<dyn ManageKeys>,
    pub policies: Arc<dyn ManagePolicies>,
    pub counters: Arc<dyn Counters>,
    pub clock: Arc<dyn Clock>,
    pub pepper: Pepper,
    pub admin_key: String,
}

/// A key as lists show it; the secret is not among it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyView {
    pub id: String,
    /// The whole key, in the answer to its creation only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub name: String,
    pub tenant: String,
    pub team: Option<String>,
    /// The first of its budgets, and the period of that.
    pub budget_usd: Option<NanoUsd>,
    pub period: Option<Period>,
    #[serde(flatten)]
    pub policy: PolicyView,
    pub models: Option<Vec<String>>,
    pub created_at: String,
    pub revoked_at: Option<String>,
}

impl Admin {
    /// # Errors
    /// [`GatewayError::Unauthorized`].
    pub fn authorize(&self, token: Option<&str>) -> Result<(), GatewayError> {
        match token.is_some_and(|token| secrets_match(token, &self.admin_key)) {
            true => Ok(()),
            false => Err(GatewayError::Unauthorized),
        }
    }

    /// Makes a key. Fields: `name`, `tenant`, `team`, `models`, and those of a policy: `budgetUsd`
    /// (decimal string) with `period`, or `budgets`; `rpm`, `tpm`, `concurrency`, `state`.
    ///
    /// # Errors
    /// [`GatewayError::BadRequest`] naming the field, or [`GatewayError::StoreDown`].
    pub async fn create(&self, body: Map<String, Value>) -> Result<KeyView, GatewayError> {
        let mut random = [0_u8; 52];
        OsRandomness.fill(&mut random);
        let (id, whole) = key::generate(&random);
        let digest = PresentedKey::parse(&whole).map(|key| key.digest(&self.pepper)).unwrap_or_default();
        let blank = KeyRecord {
            id,
            digest,
            pepper_version: self.pepper.version,
            name: String::new(),
            tenant: String::new(),
            team: None,
            policy: Policy::default(),
            models: None,
            created_at: self.clock.now(),
            revoked_at: None,
        };
        let record = fill_in(blank, Fields::new(body))?;
        self.keys.create(&record).await.map_err(GatewayError::StoreDown)?;
        Ok(KeyView { key: Some(whole), ..view(&record) })
    }

    /// All keys, oldest first.
    ///
    /// # Errors
    /// [`GatewayError::StoreDown`].
    pub async fn list(&self) -> Result<Vec<KeyView>, GatewayError> {
        let mut records = self.keys.list().await.map_err(GatewayError::StoreDown)?;
        records.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(records.iter().map(view).collect())
    }

    /// False when there is no such key.
    ///
    /// # Errors
    /// [`GatewayError::StoreDown`].
    pub async fn revoke(&self, id: &str) -> Result<bool, GatewayError> {
        self.keys.revoke(id, self.clock.now()).await.map_err(GatewayError::StoreDown)
    }
}

fn fill_in(blank: KeyRecord, mut fields: Fields) -> Result<KeyRecord, GatewayError> {
    let record = KeyRecord {
        name: name(&mut fields, "name")?.ok_or_else(|| BadRequest::new("name", "name is required"))?,
        tenant: name(&mut fields, "tenant")?.unwrap_or_else(|| "default".to_owned()),
        team: name(&mut fields, "team")?,
        policy: policy(&mut fields, blank.created_at)?,
        models: models(&mut fields)?,
        ..blank
    };
    fields.nothing_else()?;
    Ok(record)
}

fn name(fields: &mut Fields, field: &str) -> Result<Option<String>, BadRequest> {
    let Some(name) = fields.string(field)? else {
        return Ok(None);
    };
    // `#` separates the parts of store keys.
    let fits = !name.trim().is_empty()
        && name.chars().count() <= NAME_MAX
        && !name.chars().any(|c| c.is_control() || c == '#');
    match fits {
        true => Ok(Some(name)),
        false => Err(BadRequest::new(
            field,
            format!("{field} must have 1 to {NAME_MAX} characters, none of them # or a control character"),
        )),
    }
}

pub(super) fn view(record: &KeyRecord) -> KeyView {
    let first = record.policy.budgets.first();
    KeyView {
        id: record.id.clone(),
        key: None,
        name: record.name.clone(),
        tenant: record.tenant.clone(),
        team: record.team.clone(),
        budget_usd: first.map(|budget| budget.cap),
        period: first.map(|budget| budget.period),
        policy: policy_view(&record.policy),
        models: record.models.clone(),
        created_at: record.created_at.rfc3339(),
        revoked_at: record.revoked_at.map(Timestamp::rfc3339),
    }
}
