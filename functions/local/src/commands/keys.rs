//! `tollgate keys`: the admin API of a running gateway, for people and for programs.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};
use shared::app::administer::KeyView;

use super::remote::Remote;

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    gateway: Remote,
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
    }
}

impl Create {
    fn body(&self) -> Value {
        let all = [
            ("name", json!(self.name)),
            ("tenant", json!(self.tenant)),
            ("team", json!(self.team)),
            ("budgetUsd", json!(self.budget_usd)),
            ("period", json!(self.period)),
            ("rpm", json!(self.rpm)),
            ("tpm", json!(self.tpm)),
            ("models", json!(self.models)),
        ];
        let given = all.into_iter().filter(|(_, value)| !value.is_null());
        Value::Object(given.map(|(name, value)| (name.to_owned(), value)).collect::<Map<String, Value>>())
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
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 8] = std::array::from_fn(width);
    let line = |row: &[String; 8]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    Ok(rows.iter().map(line).collect::<Vec<_>>().join("\n"))
}

fn row(view: &KeyView) -> [String; 8] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    [
        view.id.clone(),
        view.name.clone(),
        view.tenant.clone(),
        or_dash(view.budget_usd.map(|cap| cap.to_string())),
        or_dash(view.period.map(|period| format!("{period:?}").to_lowercase())),
        or_dash(view.rpm.map(|limit| limit.to_string())),
        or_dash(view.tpm.map(|limit| limit.to_string())),
        if view.revoked_at.is_some() { "revoked" } else { "active" }.to_owned(),
    ]
}
