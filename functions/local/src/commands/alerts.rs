//! `tollgate alerts`: what the operator was told.

use clap::Subcommand;
use reqwest::Method;
use serde_json::Value;
use shared::app::alerts::AlertView;
use shared::domain::alert::Severity;

use super::gateway::{Asked, columns, encoded, or_dash, read};

pub(super) type Options = Asked<Action>;

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// List alerts, newest first; --json has the figures that each rests on.
    List {
        /// The first moment, such as 2026-11-24 or 2026-11-24T10:00:00Z; 30 days ago if left out.
        #[arg(long)]
        since: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Show one alert.
    Show {
        /// As `list` shows it.
        id: String,
    },
    /// Note that somebody sees to an alert.
    Acknowledge {
        /// As `list` shows it.
        id: String,
    },
}

pub(super) async fn run(options: Options) -> Result<(), String> {
    let gateway = &options.gateway;
    match &options.action {
        Action::List { since, limit } => {
            let asked = [("since", since.as_deref())];
            let list = gateway.some("/admin/alerts", &asked, "alerts", *limit).await?;
            gateway.show(&list, || Ok(table(&read::<Vec<AlertView>>(&list["alerts"])?)))
        }
        Action::Show { id } => one(&options, Method::GET, id, "").await,
        Action::Acknowledge { id } => one(&options, Method::POST, id, "/acknowledge").await,
    }
}

async fn one(options: &Options, method: Method, id: &str, what: &str) -> Result<(), String> {
    let path = format!("/admin/alerts/{}{what}", encoded(id));
    let view: Value = options.gateway.call(method, &path, None).await?;
    options.gateway.show(&view, || {
        let view: AlertView = read(&view)?;
        let facts: Vec<[String; 2]> =
            view.facts.iter().map(|fact| [fact.name.clone(), fact.value.clone()]).collect();
        Ok(format!("{}\n\n{}", table(&[view]), columns(&facts)).trim_end().to_owned())
    })
}

fn table(views: &[AlertView]) -> String {
    let head = ["AT", "ID", "SEVERITY", "TENANT", "TOLD", "SEEN TO", "OVER", "ABOUT"];
    let mut rows = vec![head.map(str::to_owned)];
    for view in views {
        let alert = &view.alert;
        let severity = match alert.severity {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        };
        rows.push([
            alert.at.rfc3339(),
            alert.id.as_str().to_owned(),
            severity.to_owned(),
            or_dash(alert.tenant.as_ref()),
            or_dash((!view.delivered_to.is_empty()).then(|| view.delivered_to.join(","))),
            or_dash(view.acknowledged_at.map(|at| at.rfc3339())),
            or_dash(view.cleared_at.map(|at| at.rfc3339())),
            view.title.clone(),
        ]);
    }
    columns(&rows)
}
