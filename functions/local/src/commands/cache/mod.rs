//! `tollgate cache`: what an operator does with the cache of a running gateway.

mod pairs;
mod seed;
mod text;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};

use super::gateway::{Asked, body};

pub(super) type Options = Asked<Action>;

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Create the index of the vector store, unless it is there.
    Setup,
    /// Keep pairs of question and answer, for requests under one key. Doing it again changes nothing.
    Seed(Box<seed::Seed>),
    /// Show what the cache answered, and how often a near match would have been right.
    Stats {
        /// Since when, such as 2026-11-24T10:00:00Z or 2026-11-24; a day ago if left out.
        #[arg(long)]
        since: Option<String>,
    },
    /// Explain whether the answer to one text would be given to the other.
    Why {
        /// What is asked.
        text: String,
        /// What is stored.
        against: String,
        /// Whose rules hold; the primary's if left out.
        #[arg(long)]
        model: Option<String>,
    },
    /// Make kept answers stale, within a second.
    Invalidate(Invalidate),
}

#[derive(Debug, Args)]
pub(super) struct Invalidate {
    /// Whose answers.
    #[arg(long, default_value = "default")]
    tenant: String,
    #[command(flatten)]
    what: What,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// Everything of the tenant.
    #[arg(long)]
    all: bool,
    /// A partition, as lookups name it.
    #[arg(long)]
    partition: Option<String>,
    /// A model, such as openai/gpt-4o.
    #[arg(long)]
    model: Option<String>,
    /// A prompt, ID, or one of its versions, ID@VERSION.
    #[arg(long)]
    prompt: Option<String>,
    #[arg(long)]
    tag: Option<String>,
}

/// How a command ended short of what it was asked for.
enum Failure {
    /// The file it was given cannot be used.
    WrongUse(String),
    /// The gateway refused, or could not be reached.
    Failed(String),
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Failure::Failed(why)
    }
}

pub(super) async fn run(options: Options) -> ExitCode {
    let (why, code) = match act(&options).await {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::WrongUse(why)) => (why, ExitCode::from(2)),
        Err(Failure::Failed(why)) => (why, ExitCode::FAILURE),
    };
    eprintln!("tollgate: {why}");
    code
}

async fn act(options: &Options) -> Result<(), Failure> {
    let gateway = &options.gateway;
    match &options.action {
        Action::Setup => {
            let done = gateway.call(Method::POST, "/admin/cache/setup", Some(json!({}))).await?;
            gateway.show(&done, || Ok(text::set_up(&done)))?;
        }
        Action::Seed(seed) => seed.run(gateway).await?,
        Action::Stats { since } => {
            let since = since.as_ref().map(|since| utf8_percent_encode(since, NON_ALPHANUMERIC).to_string());
            let query = since.map(|since| format!("?since={since}")).unwrap_or_default();
            let found = gateway.call(Method::GET, &format!("/v1/cache/stats{query}"), None).await?;
            gateway.show(&found, || Ok(text::statistics(&found)))?;
        }
        Action::Why { text, against, model } => {
            let asked = json!({ "text": text, "against": against, "model": model });
            let told = gateway.call(Method::POST, "/v1/cache/lookup", Some(asked)).await?;
            gateway.show(&told, || Ok(text::explanation(&told)))?;
        }
        Action::Invalidate(invalidate) => {
            let done = gateway.call(Method::POST, "/v1/cache/invalidate", Some(invalidate.body())).await?;
            gateway.show(&done, || Ok(text::invalidated(&done)))?;
        }
    }
    Ok(())
}

impl Invalidate {
    fn body(&self) -> Value {
        let What { all, partition, model, prompt, tag } = &self.what;
        body([
            ("tenant", json!(self.tenant)),
            ("all", if *all { json!(true) } else { Value::Null }),
            ("partition", json!(partition)),
            ("model", json!(model)),
            ("prompt", json!(prompt)),
            ("tag", json!(tag)),
        ])
    }
}
