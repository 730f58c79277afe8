//! `tollgate cache seed`: pairs of a file, kept as answers.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget};
use reqwest::Method;
use serde_json::{Map, Value, json};
use shared::app::semantic::ENTRIES_MAX;

use super::super::gateway::{Gateway, body};
use super::{Failure, pairs};

/// Pairs of one call: each is embedded twice, and API Gateway waits half a minute.
const ABREAST: usize = 50;
const _: () = assert!(ABREAST <= ENTRIES_MAX);

#[derive(Debug, Args)]
pub(in crate::commands) struct Seed {
    /// JSON lines of {"question", "answer"}, or CSV with these columns.
    file: PathBuf,
    /// Id of the key whose requests shall find them; by `cache.scope` also those of its tenant.
    #[arg(long)]
    key: String,
    /// Model that the requests ask; the primary if left out.
    #[arg(long)]
    model: Option<String>,
    /// System prompt of the requests, word for word.
    #[arg(long)]
    system: Option<String>,
    /// End user of the requests, where `cache.scope` is user.
    #[arg(long)]
    user: Option<String>,
    /// Body of /v1/chat/completions less the question, for requests that set more than that.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "system", "user"])]
    request: Option<PathBuf>,
    /// What x-tollgate-prompt will say, ID@VERSION.
    #[arg(long)]
    prompt: Option<String>,
    /// What x-tollgate-locale or accept-language will say.
    #[arg(long)]
    locale: Option<String>,
    /// Tags to invalidate them by, separated by commas.
    #[arg(long, value_delimiter = ',')]
    tag: Vec<String>,
}

impl Seed {
    pub(super) async fn run(&self, gateway: &Gateway) -> Result<(), Failure> {
        let pairs = pairs::read(&self.file).map_err(Failure::WrongUse)?;
        let request = self.request().map_err(Failure::WrongUse)?;
        let bar = bar(pairs.len());
        let (mut stored, mut refused) = (0, Vec::new());
        for part in pairs.chunks(ABREAST) {
            let entries: Vec<&pairs::Pair> = part.iter().map(|(_, pair)| pair).collect();
            let done = gateway.call(
                Method::POST,
                "/admin/cache/entries",
                Some(self.call(&request, &json!(entries))),
            );
            let done = done
                .await
                .map_err(|why| format!("{why}; {stored} pairs are stored, and all may be sent again"))?;
            stored += done["stored"].as_u64().unwrap_or(0);
            for one in done["refused"].as_array().into_iter().flatten() {
                let at = one["index"].as_u64().and_then(|index| part.get(usize::try_from(index).ok()?));
                refused.push(json!({ "line": at.map(|(line, _)| line), "reason": one["reason"] }));
            }
            bar.inc(part.len() as u64);
        }
        bar.finish_and_clear();
        let done = json!({ "stored": stored, "refused": refused });
        gateway.show(&done, || Ok(self.text(&done)))?;
        match refused.is_empty() {
            true => Ok(()),
            false => Err(Failure::Failed(format!("{} pairs are not stored", refused.len()))),
        }
    }

    fn call(&self, request: &Value, entries: &Value) -> Value {
        body([
            ("key", json!(self.key)),
            ("request", request.clone()),
            ("prompt", json!(self.prompt)),
            ("locale", json!(self.locale)),
            ("tags", json!(self.tag)),
            ("entries", entries.clone()),
        ])
    }

    fn request(&self) -> Result<Value, String> {
        if let Some(path) = &self.request {
            let wrong = |why: String| format!("{}: {why}", path.display());
            let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
            let read: Result<Map<String, Value>, _> = serde_json::from_str(&text);
            return read.map(Value::Object).map_err(|error| wrong(error.to_string()));
        }
        let system = self.system.as_ref().map(|system| json!([{ "role": "system", "content": system }]));
        Ok(body([("model", json!(self.model)), ("user", json!(self.user)), ("messages", json!(system))]))
    }

    fn text(&self, done: &Value) -> String {
        let refused = done["refused"].as_array().into_iter().flatten();
        let file = self.file.display();
        let faults = refused.map(|one| {
            let reason = one["reason"].as_str().unwrap_or_default();
            format!("{file}:{}: its requests pass the cache by: {reason}\n", one["line"])
        });
        format!("{}{} pairs stored", faults.collect::<String>(), done["stored"])
    }
}

/// Shown on a terminal alone.
fn bar(length: usize) -> ProgressBar {
    let bar = ProgressBar::new(length as u64);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}
