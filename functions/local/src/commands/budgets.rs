//! `tollgate budgets`: caps and limits of keys, users, teams and tenants.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};
use shared::app::budgets::{BudgetView, PeriodView};

use super::gateway::{Asked, body, columns, encoded, or_dash, read};

pub(super) type Options = Asked<Action>;

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Replace what holds for a scope, from its next request on.
    Set(Box<Set>),
    /// Show what holds for a scope and what it has spent.
    Show {
        #[command(flatten)]
        scope: Scope,
    },
    /// List the teams, users and tenants for which anything is set.
    List {
        /// Those of one tenant only.
        #[arg(long)]
        tenant: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Scope {
    /// key, user, team or tenant.
    scope: String,
    id: String,
    /// Whose team or user it is; "default" if left out.
    #[arg(long)]
    tenant: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Set {
    #[command(flatten)]
    scope: Scope,
    /// A cap in dollars and its period, such as 1.50/day; several hold at once.
    #[arg(long, value_name = "USD/PERIOD")]
    budget: Vec<String>,
    /// Requests a minute.
    #[arg(long)]
    rpm: Option<u64>,
    /// Tokens a minute.
    #[arg(long)]
    tpm: Option<u64>,
    /// Requests open at once.
    #[arg(long)]
    concurrency: Option<u64>,
    /// active, throttled or stopped; a stop holds from the next request on.
    #[arg(long)]
    state: Option<String>,
    /// Counters that a busy scope is spread over, from its next period on.
    #[arg(long)]
    shards: Option<u8>,
    /// Of a tenant: the cap of each user who has none of their own.
    #[arg(long, value_name = "USD/PERIOD")]
    each_user: Vec<String>,
    /// Of a tenant: the cap of each session.
    #[arg(long, value_name = "USD/PERIOD")]
    each_session: Vec<String>,
}

pub(super) async fn run(options: Options) -> Result<(), String> {
    let gateway = &options.gateway;
    match &options.action {
        Action::Set(set) => {
            let done = gateway.call(Method::PUT, &set.scope.path(), Some(set.body()?)).await?;
            gateway.show(&done, || one(&done))
        }
        Action::Show { scope } => {
            let tenant = scope.tenant.as_ref().map(|tenant| format!("?tenant={}", encoded(tenant)));
            let path = scope.path() + &tenant.unwrap_or_default();
            let found = gateway.call(Method::GET, &path, None).await?;
            gateway.show(&found, || one(&found))
        }
        Action::List { tenant } => {
            let list = gateway.list("/admin/budgets", &[("tenant", tenant.as_deref())], "budgets").await?;
            gateway.show(&list, || read(&list["budgets"]).map(|views: Vec<BudgetView>| table(&views)))
        }
    }
}

impl Scope {
    fn path(&self) -> String {
        format!("/admin/budgets/{}/{}", encoded(&self.scope), encoded(&self.id))
    }
}

impl Set {
    fn body(&self) -> Result<Value, String> {
        let each = |caps: &[String]| match caps {
            [] => Ok(Value::Null),
            caps => budgets(caps).map(|budgets| json!({ "budgets": budgets })),
        };
        Ok(body([
            ("tenant", json!(self.scope.tenant)),
            ("budgets", json!(budgets(&self.budget)?)),
            ("rpm", json!(self.rpm)),
            ("tpm", json!(self.tpm)),
            ("concurrency", json!(self.concurrency)),
            ("state", json!(self.state)),
            ("shards", json!(self.shards)),
            ("eachUser", each(&self.each_user)?),
            ("eachSession", each(&self.each_session)?),
        ]))
    }
}

fn budgets(caps: &[String]) -> Result<Vec<Value>, String> {
    let read = |cap: &String| match cap.split_once('/') {
        Some((cap, period)) => Ok(json!({ "capUsd": cap, "period": period })),
        None => Err(format!("{cap:?} is no cap with a period, such as 1.50/day")),
    };
    caps.iter().map(read).collect()
}

fn one(value: &Value) -> Result<String, String> {
    Ok(table(&[read(value)?]))
}

/// A row for each cap; a scope without any has one all the same.
pub(super) fn table(views: &[BudgetView]) -> String {
    const HEAD: [&str; 11] = [
        "SCOPE",
        "ID",
        "TENANT",
        "PERIOD",
        "CAP USD",
        "SPENT USD",
        "HELD USD",
        "RESETS AT",
        "RPM",
        "TPM",
        "STATE",
    ];
    let mut rows = vec![HEAD.map(str::to_owned)];
    for view in views {
        let caps = view.policy.budgets.iter().map(Some);
        let none = view.policy.budgets.is_empty().then_some(None);
        rows.extend(caps.chain(none).map(|cap| row(view, cap)));
    }
    columns(&rows)
}

fn row(view: &BudgetView, cap: Option<&PeriodView>) -> [String; 11] {
    [
        view.scope.to_string(),
        view.id.clone(),
        or_dash(view.tenant.as_ref()),
        or_dash(cap.map(|cap| cap.period)),
        or_dash(cap.map(|cap| cap.cap_usd)),
        or_dash(cap.and_then(|cap| cap.spent_usd)),
        or_dash(cap.and_then(|cap| cap.held_usd)),
        or_dash(cap.and_then(|cap| cap.resets_at.as_ref())),
        or_dash(view.policy.rpm),
        or_dash(view.policy.tpm),
        view.policy.state.to_string(),
    ]
}
