//! `tollgate keys`: the admin API of a running gateway, for people and for programs.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};
use shared::app::administer::KeyView;
use shared::client::{Reach, client};

use super::table::table;

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    action: Action,
    /// The gateway to talk to.
    #[arg(long, global = true, default_value = "http://localhost:3000")]
    url: String,
    /// Data directory of a gateway on this machine, whose admin key is used.
    #[arg(long, global = true, default_value = ".tollgate")]
    data: PathBuf,
    /// The admin key, instead of the data directory's.
    #[arg(long, global = true, env = "TOLLGATE_ADMIN_KEY", hide_env_values = true)]
    admin_key: Option<String>,
    /// Print one JSON document instead of a table.
    #[arg(long, global = true)]
    json: bool,
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
            let made = call(&options, Method::POST, "/admin/keys", Some(create.body())).await?;
            show(&options, &made, || created_text(&made))
        }
        Action::List => {
            let list = call(&options, Method::GET, "/admin/keys", None).await?;
            show(&options, &list, || listed_text(&list))
        }
        Action::Revoke { id } => {
            let done = call(&options, Method::DELETE, &format!("/admin/keys/{id}"), None).await?;
            show(&options, &done, || Ok(format!("revoked {id}")))
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

async fn call(options: &Options, method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
    let url = format!("{}{path}", options.url.trim_end_matches('/'));
    let client = client(Reach::Any).map_err(|error| error.to_string())?;
    let mut request = client.request(method, &url).bearer_auth(admin_key(options)?);
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let unreachable =
        |error: reqwest::Error| format!("cannot reach {}: {}", options.url, error.without_url());
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let text = response.text().await.map_err(unreachable)?;
    let value: Value =
        serde_json::from_str(&text).map_err(|_| format!("{url} answered {status} without JSON"))?;
    match status.is_success() {
        true => Ok(value),
        false => Err(value["error"]["message"].as_str().unwrap_or("refused without a reason").to_owned()),
    }
}

fn admin_key(options: &Options) -> Result<String, String> {
    if let Some(key) = &options.admin_key {
        return Ok(key.clone());
    }
    let path = options.data.join("admin-key");
    let text = std::fs::read_to_string(&path).map_err(|error| {
        format!("no admin key: {} cannot be read ({error}); set TOLLGATE_ADMIN_KEY or --data", path.display())
    })?;
    Ok(text.trim().to_owned())
}

fn show(
    options: &Options,
    value: &Value,
    text: impl FnOnce() -> Result<String, String>,
) -> Result<(), String> {
    let shown = if options.json { value.to_string() } else { text()? };
    println!("{shown}");
    Ok(())
}

fn created_text(made: &Value) -> Result<String, String> {
    let view: KeyView = serde_json::from_value(made.clone()).map_err(|error| error.to_string())?;
    let key = view.key.unwrap_or_default();
    Ok(format!("id   {}\nkey  {key}\n\nKeep the key now: it is not shown again.", view.id))
}

fn listed_text(list: &Value) -> Result<String, String> {
    let views: Vec<KeyView> =
        serde_json::from_value(list["keys"].clone()).map_err(|error| error.to_string())?;
    let mut rows =
        vec![["ID", "NAME", "TENANT", "BUDGET USD", "PERIOD", "RPM", "TPM", "STATE"].map(str::to_owned)];
    rows.extend(views.iter().map(row));
    Ok(table(&rows))
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
