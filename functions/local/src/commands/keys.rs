//! `tollgate keys`: the admin API of a running gateway, for people and for programs.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};
use shared::app::administer::KeyView;
use shared::domain::counter::ScopeState;

use super::gateway::{Asked, body, columns, encoded, or_dash, read};

pub(super) type Options = Asked<Action>;

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Make a key. It is shown this once.
    Create(Box<Create>),
    /// List keys, oldest first, the revoked ones too.
    List {
        /// Those of one tenant only.
        #[arg(long)]
        tenant: Option<String>,
        /// Those of one of its teams only.
        #[arg(long, requires = "tenant")]
        team: Option<String>,
    },
    /// Show one key.
    Show {
        /// The key's id, the part between the underscores.
        id: String,
    },
    /// Change what a key is called, its team or its models; what is left out stays.
    Update(Update),
    /// Revoke a key; every instance refuses it within 60 seconds.
    Revoke {
        /// The key's id, the part between the underscores.
        id: String,
    },
    /// Let a key go that the anomaly throttle slowed or stopped, and spare it for a day.
    Release {
        /// The key's id, the part between the underscores.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// What the key is called in lists.
    #[arg(long)]
    name: String,
    /// Whose key it is.
    #[arg(long)]
    tenant: Option<String>,
    #[arg(long)]
    team: Option<String>,
    /// Cap in dollars for each period, such as 1.50.
    #[arg(long)]
    budget_usd: Option<String>,
    /// minute, hour, day, month (default) or total.
    #[arg(long, requires = "budget_usd")]
    period: Option<String>,
    /// Requests a minute.
    #[arg(long)]
    rpm: Option<u64>,
    /// Tokens a minute.
    #[arg(long)]
    tpm: Option<u64>,
    /// Requests open at once.
    #[arg(long)]
    concurrency: Option<u64>,
    /// Counters that the budget of a busy key is spread over.
    #[arg(long)]
    shards: Option<u8>,
    /// Models the key may use, separated by commas; every model if left out.
    #[arg(long, value_delimiter = ',')]
    models: Option<Vec<String>>,
}

#[derive(Debug, Args)]
pub(super) struct Update {
    /// The key's id, the part between the underscores.
    id: String,
    #[arg(long)]
    name: Option<String>,
    /// The team whose budget it draws on from now on.
    #[arg(long, conflicts_with = "no_team")]
    team: Option<String>,
    /// Take it out of its team.
    #[arg(long)]
    no_team: bool,
    /// Models the key may use, separated by commas.
    #[arg(long, value_delimiter = ',', conflicts_with = "all_models")]
    models: Option<Vec<String>>,
    /// Let it use every model.
    #[arg(long)]
    all_models: bool,
}

pub(super) async fn run(options: Options) -> Result<(), String> {
    match &options.action {
        Action::Create(create) => {
            let made = options.gateway.call(Method::POST, "/admin/keys", Some(create.body())).await?;
            options.gateway.show(&made, || created_text(&made))
        }
        Action::List { tenant, team } => {
            let asked = [("tenant", tenant.as_deref()), ("team", team.as_deref())];
            let list = options.gateway.list("/admin/keys", &asked, "keys").await?;
            options.gateway.show(&list, || read(&list["keys"]).map(|views: Vec<KeyView>| table(&views)))
        }
        Action::Show { id } => {
            let found = options.gateway.call(Method::GET, &path(id), None).await?;
            options.gateway.show(&found, || one(&found))
        }
        Action::Update(update) => {
            let done = options.gateway.call(Method::PATCH, &path(&update.id), Some(update.body())).await?;
            options.gateway.show(&done, || one(&done))
        }
        Action::Revoke { id } => {
            let done = options.gateway.call(Method::DELETE, &path(id), None).await?;
            options.gateway.show(&done, || Ok(format!("revoked {id}")))
        }
        Action::Release { id } => {
            let path = format!("/admin/keys/{id}/release");
            let done = options.gateway.call(Method::POST, &path, None).await?;
            options.gateway.show(&done, || Ok(format!("released {id}")))
        }
    }
}

impl Create {
    fn body(&self) -> Value {
        body([
            ("name", json!(self.name)),
            ("tenant", json!(self.tenant)),
            ("team", json!(self.team)),
            ("budgetUsd", json!(self.budget_usd)),
            ("period", json!(self.period)),
            ("rpm", json!(self.rpm)),
            ("tpm", json!(self.tpm)),
            ("concurrency", json!(self.concurrency)),
            ("shards", json!(self.shards)),
            ("models", json!(self.models)),
        ])
    }
}

impl Update {
    /// Null takes away.
    fn body(&self) -> Value {
        let mut body =
            body([("name", json!(self.name)), ("team", json!(self.team)), ("models", json!(self.models))]);
        for field in [self.no_team.then_some("team"), self.all_models.then_some("models")] {
            field.into_iter().for_each(|field| body[field] = Value::Null);
        }
        body
    }
}

fn path(id: &str) -> String {
    format!("/admin/keys/{}", encoded(id))
}

fn created_text(made: &Value) -> Result<String, String> {
    let view: KeyView = read(made)?;
    let key = view.key.unwrap_or_default();
    Ok(format!("id   {}\nkey  {key}\n\nKeep the key now: it is not shown again.", view.id))
}

fn one(found: &Value) -> Result<String, String> {
    let view: KeyView = read(found)?;
    let models = view.models.as_ref().map_or_else(|| "every model".to_owned(), |models| models.join(", "));
    Ok(format!("{}\n\nmodels  {models}", table(&[view])))
}

pub(super) fn table(views: &[KeyView]) -> String {
    let head = ["ID", "NAME", "TENANT", "TEAM", "BUDGET USD", "PERIOD", "RPM", "TPM", "STATE"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(views.iter().map(row));
    columns(&rows)
}

fn row(view: &KeyView) -> [String; 9] {
    [
        view.id.clone(),
        view.name.clone(),
        view.tenant.clone(),
        or_dash(view.team.as_ref()),
        or_dash(view.budget_usd),
        or_dash(view.period),
        or_dash(view.policy.rpm),
        or_dash(view.policy.tpm),
        state(view),
    ]
}

/// What an admin set, or what the gateway does by itself and how long at most.
fn state(view: &KeyView) -> String {
    let throttle = view.policy.throttle.as_ref().filter(|throttle| throttle.state != ScopeState::Active);
    match (&view.revoked_at, view.policy.state, throttle) {
        (Some(_), _, _) => "revoked".to_owned(),
        (None, ScopeState::Active, Some(throttle)) => format!("{} until {}", throttle.state, throttle.until),
        (None, state, _) => state.to_string(),
    }
}
