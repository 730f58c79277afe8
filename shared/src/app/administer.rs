//! Keys, made, shown, changed and revoked by an admin.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::budgets::{PolicyView, policy_view};
use super::change::{Change, Registry, subject};
use super::error::GatewayError;
use super::fields::models;
use super::listing::Piece;
use super::policy_fields::policy;
use super::random::OsRandomness;
use crate::domain::audit::{Action, Outcome, Who};
use crate::domain::key::{self, KeyDetails, KeyRecord, Pepper, PresentedKey};
use crate::domain::money::NanoUsd;
use crate::domain::policy::{Policy, ScopeName};
use crate::domain::time::{Period, Timestamp};
use crate::ports::{Clock, Randomness, StoreError};
use crate::protocol::fields::{BadRequest, Fields};

/// Longest name of a key, tenant or team, in characters.
const NAME_MAX: usize = 128;

/// How often something is read and changed anew where somebody else changed it in between.
pub(super) const TRIES: usize = 4;

/// What the admin function needs.
pub struct Admin {
    pub registry: Registry,
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

/// Some keys, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyList {
    pub keys: Vec<KeyView>,
    /// Where the next piece begins; null where this was the last.
    pub next: Option<String>,
}

/// Whose keys are asked for; none is everybody's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whose {
    pub tenant: Option<String>,
    pub team: Option<String>,
}

impl Admin {
    /// Somebody who holds the admin key.
    pub fn who(&self, actor: Option<String>, address: Option<String>) -> Who {
        Who { key: key::fingerprint(&self.admin_key, &self.pepper), actor, address }
    }

    /// Makes a key. Fields: `name`, `tenant`, `team`, `models`, and those of a policy: `budgetUsd`
    /// (decimal string) with `period`, or `budgets`; `rpm`, `tpm`, `concurrency`, `state`.
    ///
    /// # Errors
    /// [`GatewayError::BadRequest`] naming the field, or [`GatewayError::StoreDown`].
    pub async fn create(&self, who: &Who, body: Map<String, Value>) -> Result<KeyView, GatewayError> {
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
        let made = view(&record);
        let change = of_key(Action::CreateKey, &record.id, None, &made);
        let permit = self.registry.begin(who, record.created_at, change).await?;
        permit.keys().create(&record).await.map_err(GatewayError::StoreDown)?;
        permit.conclude(Outcome::Done).await;
        Ok(KeyView { key: Some(whole), ..made })
    }

    /// Keys, oldest first, the revoked ones too.
    ///
    /// # Errors
    /// [`GatewayError::StoreDown`].
    pub async fn keys(&self, whose: &Whose, piece: &Piece) -> Result<KeyList, GatewayError> {
        let records = self.registry.list_keys().list().await.map_err(GatewayError::StoreDown)?;
        let is_meant =
            |wanted: &Option<String>, own: Option<&String>| wanted.is_none() || wanted.as_ref() == own;
        let records = records.iter().filter(|record| {
            is_meant(&whose.tenant, Some(&record.tenant)) && is_meant(&whose.team, record.team.as_ref())
        });
        let (records, next) =
            piece.of(records, |record| format!("{:015}-{}", record.created_at.millis(), record.id));
        Ok(KeyList { keys: records.into_iter().map(view).collect(), next })
    }

    /// One key.
    ///
    /// # Errors
    /// [`GatewayError::NotFound`], or [`GatewayError::StoreDown`].
    pub async fn key(&self, id: &str) -> Result<KeyView, GatewayError> {
        self.record(id).await.map(|record| view(&record))
    }

    /// Changes `name`, `team` or `models` of a key; null takes the last two away. Its budgets and limits
    /// are a policy of their own, and its tenant stays, since what was billed lies under it. Every
    /// instance has heard of it within 60 seconds.
    ///
    /// # Errors
    /// [`GatewayError::BadRequest`] naming the field, [`GatewayError::NotFound`], or
    /// [`GatewayError::StoreDown`].
    pub async fn update(
        &self,
        who: &Who,
        id: &str,
        body: Map<String, Value>,
    ) -> Result<KeyView, GatewayError> {
        let wanted = Wanted::read(body)?;
        for _ in 0..TRIES {
            let record = self.record(id).await?;
            let before = record.details();
            let next = record.clone().with(wanted.over(before.clone()));
            let (old, new) = (view(&record), view(&next));
            let change = of_key(Action::UpdateKey, id, Some(&old), &new);
            let permit = self.registry.begin(who, self.clock.now(), change).await?;
            let set = permit.keys().set_details(id, &next.details(), &before).await;
            if set.map_err(GatewayError::StoreDown)? {
                permit.conclude(Outcome::Done).await;
                return Ok(new);
            }
            permit.conclude(Outcome::NotDone).await;
        }
        Err(GatewayError::StoreDown(StoreError::Rejected("the key kept changing".to_owned())))
    }

    /// Revokes a key. One that is revoked stays so, since the first time.
    ///
    /// # Errors
    /// [`GatewayError::NotFound`], or [`GatewayError::StoreDown`].
    pub async fn revoke(&self, who: &Who, id: &str) -> Result<KeyView, GatewayError> {
        let record = self.record(id).await?;
        let now = self.clock.now();
        let revoked_at = record.revoked_at.or(Some(now));
        let (old, new) = (view(&record), view(&KeyRecord { revoked_at, ..record.clone() }));
        if record.revoked_at.is_some() {
            return Ok(old);
        }
        let change = of_key(Action::RevokeKey, id, Some(&old), &new);
        let permit = self.registry.begin(who, now, change).await?;
        let is_known = permit.keys().revoke(id, now).await.map_err(GatewayError::StoreDown)?;
        permit.conclude(if is_known { Outcome::Done } else { Outcome::NotDone }).await;
        Ok(new)
    }

    pub(super) async fn record(&self, id: &str) -> Result<KeyRecord, GatewayError> {
        let found = self.registry.find_key().find(id).await.map_err(GatewayError::StoreDown)?;
        found.ok_or_else(|| no_key(id))
    }
}

pub(super) fn no_key(id: &str) -> GatewayError {
    GatewayError::NotFound { what: format!("there is no key {id:?}") }
}

pub(super) fn of_key(action: Action, id: &str, before: Option<&KeyView>, after: &KeyView) -> Change {
    Change::new(action, subject(&ScopeName::key(id)), before, Some(after))
}

/// The details that an admin gives anew; what is not given stays.
struct Wanted {
    name: Option<String>,
    team: Option<Option<String>>,
    models: Option<Option<Vec<String>>>,
}

impl Wanted {
    fn read(body: Map<String, Value>) -> Result<Self, BadRequest> {
        let is_null = |field: &str| body.get(field).is_some_and(Value::is_null);
        let (no_team, no_models) = (is_null("team"), is_null("models"));
        let mut fields = Fields::new(body);
        let wanted = Wanted {
            name: name(&mut fields, "name")?,
            team: name(&mut fields, "team")?.map(Some).or(no_team.then_some(None)),
            models: models(&mut fields)?.map(Some).or(no_models.then_some(None)),
        };
        fields.nothing_else()?;
        let is_empty = wanted.name.is_none() && wanted.team.is_none() && wanted.models.is_none();
        match is_empty {
            true => Err(BadRequest::new("", "give at least one of name, team and models")),
            false => Ok(wanted),
        }
    }

    fn over(&self, before: KeyDetails) -> KeyDetails {
        KeyDetails {
            name: self.name.clone().unwrap_or(before.name),
            team: self.team.clone().unwrap_or(before.team),
            models: self.models.clone().unwrap_or(before.models),
        }
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
