//! `tollgate usage`: what an admin does about the rollups of usage.

use clap::Subcommand;
use reqwest::Method;
use serde_json::{Value, json};

use super::gateway::{Asked, Gateway};

pub(super) type Options = Asked<Action>;

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Fold the ledger again, after an outage of its stream. Doing it twice changes nothing.
    Rebuild {
        /// The first hour, such as 2026-11-24T10:00:00Z or 2026-11-24; that of the first key if left out.
        #[arg(long)]
        from: Option<String>,
        /// Up to this hour and without it; up to now if left out.
        #[arg(long)]
        to: Option<String>,
    },
}

pub(super) async fn run(options: Options) -> Result<(), String> {
    let Action::Rebuild { from, to } = &options.action;
    let done = rebuild(&options.gateway, from.as_deref(), to.as_deref()).await?;
    let text = |name: &str| done[name].as_str().unwrap_or_default();
    let hours = &done["hours"];
    options
        .gateway
        .show(&done, || Ok(format!("{hours} hours rebuilt, from {} to {}", text("from"), text("to"))))
}

/// Each call does a bounded piece and says where to go on.
async fn rebuild(gateway: &Gateway, from: Option<&str>, to: Option<&str>) -> Result<Value, String> {
    let mut body = json!({ "from": from, "to": to });
    let (mut first, mut hours) = (Value::Null, 0);
    loop {
        let failed = |why: String| match body["from"].as_str().filter(|_| hours > 0) {
            Some(next) => format!("{why}; {hours} hours are done, go on with --from {next}"),
            None => why,
        };
        let done =
            gateway.call(Method::POST, "/admin/usage/rebuild", Some(body.clone())).await.map_err(failed)?;
        hours += done["hours"].as_u64().unwrap_or(0);
        if first.is_null() {
            first = done["from"].clone();
        }
        if done["next"].is_null() {
            return Ok(json!({ "from": first, "to": done["to"], "hours": hours }));
        }
        body = json!({ "from": done["next"], "to": done["to"] });
    }
}
