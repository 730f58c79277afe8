//! `tollgate audit`: what admins changed.

use clap::Subcommand;
use serde_json::Value;
use shared::app::audit::AuditView;
use shared::domain::audit::Outcome;

use super::gateway::{Asked, columns, or_dash, read};

pub(super) type Options = Asked<Action>;

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// List changes, newest first; --json has what stood there before and after.
    List {
        /// The first moment, such as 2026-11-24 or 2026-11-24T10:00:00Z; 30 days before the end if left out.
        #[arg(long)]
        since: Option<String>,
        /// The end, without it; now if left out.
        #[arg(long)]
        until: Option<String>,
        /// Only changes of this one, such as key/ID, team/TENANT/ID or tenant/ID.
        #[arg(long)]
        subject: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
}

pub(super) async fn run(options: Options) -> Result<(), String> {
    let Action::List { since, until, subject, limit } = &options.action;
    let asked = [("since", since.as_deref()), ("until", until.as_deref()), ("subject", subject.as_deref())];
    let list = options.gateway.some("/admin/audit", &asked, "entries", *limit).await?;
    options.gateway.show(&list, || table(&list["entries"]))
}

fn table(entries: &Value) -> Result<String, String> {
    let views: Vec<AuditView> = read(entries)?;
    let mut rows = vec![["AT", "WHO", "FROM", "ACTION", "SUBJECT", "OUTCOME"].map(str::to_owned)];
    for view in &views {
        let outcome = match view.outcome {
            Some(Outcome::Done) => "done",
            Some(Outcome::NotDone) => "not done",
            None => "unknown",
        };
        rows.push([
            view.at.clone(),
            view.who.actor.clone().unwrap_or_else(|| view.who.key.clone()),
            or_dash(view.who.address.as_ref()),
            // As the API writes it.
            read(&serde_json::json!(view.action))?,
            view.subject.clone(),
            outcome.to_owned(),
        ]);
    }
    Ok(columns(&rows))
}
