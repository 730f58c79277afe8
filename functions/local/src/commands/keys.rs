//! `tollgate keys`: the admin API of a running gateway, for people and for programs.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};
use shared::app::administer::KeyView;
use shared::domain::counter::ScopeState;

use super::gateway::{Gateway, body, columns, or_dash};

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    gateway: Gateway,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key. It is shown this once.
    Create(Box<Create>),
    /// List all keys.
    List,
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
struct Create {
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

pub(super) async fn run(options: Options) -> Result<(), String> {
    match &options.action {
        Action::Create(create) => {
            let made = options.gateway.call(Method::POST, "/admin/keys", Some(create.body())).await?;
            options.gateway.show(&made, || created_text(&made))
        }
        Action::List => {
            let list = options.gateway.call(Method::GET, "/admin/keys", None).await?;
            options.gateway.show(&list, || table(&list))
        }
        Action::Revoke { id } => {
            let done = options.gateway.call(Method::DELETE, &format!("/admin/keys/{id}"), None).await?;
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

fn created_text(made: &Value) -> Result<String, String> {
    let view: KeyView = serde_json::from_value(made.clone()).map_err(|error| error.to_string())?;
    let key = view.key.unwrap_or_default();
    Ok(format!("id   {}\nkey  {key}\n\nKeep the key now: it is not shown again.", view.id))
}

fn table(list: &Value) -> Result<String, String> {
    let views: Vec<KeyView> =
        serde_json::from_value(list["keys"].clone()).map_err(|error| error.to_string())?;
    let mut rows =
        vec![["ID", "NAME", "TENANT", "BUDGET USD", "PERIOD", "RPM", "TPM", "STATE"].map(str::to_owned)];
    rows.extend(views.iter().map(row));
    Ok(columns(&rows))
}

fn row(view: &KeyView) -> [String; 8] {
    [
        view.id.clone(),
        view.name.clone(),
        view.tenant.clone(),
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
