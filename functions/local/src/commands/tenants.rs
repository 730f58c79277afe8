//! `tollgate tenants` and `tollgate teams`: who there is, by the keys and policies that name them.

use clap::Subcommand;
use reqwest::Method;
use serde_json::Value;
use shared::app::budgets::PolicyView;
use shared::app::tenants::{TeamView, TenantDetails, TenantView};

use super::budgets;
use super::gateway::{Asked, columns, encoded, or_dash, read};
use super::keys;

pub(super) type Options = Asked<Action>;

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// List the tenants that a key or a policy names.
    List,
    /// Show a tenant with its budgets, teams, users and keys, of each the first hundred.
    Show { id: String },
}

pub(super) type TeamOptions = Asked<TeamAction>;

#[derive(Debug, Subcommand)]
pub(super) enum TeamAction {
    /// List the teams that a key or a policy names.
    List {
        /// Those of one tenant only.
        #[arg(long)]
        tenant: Option<String>,
    },
}

pub(super) async fn run(options: Options) -> Result<(), String> {
    let gateway = &options.gateway;
    match &options.action {
        Action::List => {
            let list = gateway.list("/admin/tenants", &[], "tenants").await?;
            gateway.show(&list, || read(&list["tenants"]).map(|views: Vec<TenantView>| table(&views)))
        }
        Action::Show { id } => {
            let found = gateway.call(Method::GET, &format!("/admin/tenants/{}", encoded(id)), None).await?;
            gateway.show(&found, || details(&found))
        }
    }
}

pub(super) async fn run_teams(options: TeamOptions) -> Result<(), String> {
    let TeamAction::List { tenant } = &options.action;
    let list = options.gateway.list("/admin/teams", &[("tenant", tenant.as_deref())], "teams").await?;
    options.gateway.show(&list, || read(&list["teams"]).map(|views: Vec<TeamView>| teams(&views)))
}

/// The tables of what there is, one below the other.
fn details(found: &Value) -> Result<String, String> {
    let found: TenantDetails = read(found)?;
    let mut tables = vec![table(&[found.tenant])];
    tables.extend(found.budget.map(|budget| budgets::table(&[budget])));
    tables.extend((!found.teams.is_empty()).then(|| teams(&found.teams)));
    tables.extend((!found.users.is_empty()).then(|| budgets::table(&found.users)));
    tables.extend((!found.keys.is_empty()).then(|| keys::table(&found.keys)));
    Ok(tables.join("\n\n"))
}

fn table(views: &[TenantView]) -> String {
    let mut rows = vec![["TENANT", "KEYS", "TEAMS", "USERS", "BUDGETS", "STATE"].map(str::to_owned)];
    rows.extend(views.iter().map(|view| {
        let counts = [view.keys, view.teams, view.users].map(|count| count.to_string());
        let ([keys, teams, users], [budgets, state]) = (counts, policy(view.policy.as_ref()));
        [view.id.clone(), keys, teams, users, budgets, state]
    }));
    columns(&rows)
}

fn teams(views: &[TeamView]) -> String {
    let mut rows = vec![["TENANT", "TEAM", "KEYS", "BUDGETS", "STATE"].map(str::to_owned)];
    rows.extend(views.iter().map(|view| {
        let [budgets, state] = policy(view.policy.as_ref());
        [view.tenant.clone(), view.id.clone(), view.keys.to_string(), budgets, state]
    }));
    columns(&rows)
}

/// The caps, as `tollgate budgets set --budget` takes them, and the state.
fn policy(policy: Option<&PolicyView>) -> [String; 2] {
    let caps = policy.map(|policy| {
        let caps = policy.budgets.iter().map(|cap| format!("{}/{}", cap.cap_usd, cap.period));
        caps.collect::<Vec<_>>().join(" ")
    });
    [or_dash(caps.filter(|caps| !caps.is_empty())), or_dash(policy.map(|policy| policy.state))]
}
