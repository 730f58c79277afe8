//! A running gateway, as its admin reaches it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared::client::{Reach, client};

/// Items that one call asks for.
const PIECE: usize = 500;

/// What a gateway is asked to do, and which.
#[derive(Debug, Args)]
pub(super) struct Asked<A: Subcommand> {
    #[command(subcommand)]
    pub(super) action: A,
    #[command(flatten)]
    pub(super) gateway: Gateway,
}

/// Where it is, who we are to it, and how its answers are printed.
#[derive(Debug, Args)]
pub(super) struct Gateway {
    /// The gateway to talk to.
    #[arg(long, global = true, default_value = "http://localhost:3000")]
    url: String,
    /// Data directory of a gateway on this machine, whose admin key is used.
    #[arg(long, global = true, default_value = ".tollgate")]
    data: PathBuf,
    /// The admin key, instead of the data directory's.
    #[arg(long, global = true, env = "TOLLGATE_ADMIN_KEY", hide_env_values = true)]
    admin_key: Option<String>,
    /// Who you are, for the log of changes.
    #[arg(long, global = true, env = "TOLLGATE_ACTOR")]
    actor: Option<String>,
    /// Print one JSON document instead of a table.
    #[arg(long, global = true)]
    json: bool,
}

impl Gateway {
    /// One call of the admin API.
    ///
    /// # Errors
    /// What the gateway said of a refusal, or why it could not be reached.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, String> {
        let url = format!("{}{path}", self.url.trim_end_matches('/'));
        let client = client(Reach::Any).map_err(|error| error.to_string())?;
        let mut request = client.request(method, &url).bearer_auth(self.admin_key()?);
        if let Some(actor) = &self.actor {
            request = request.header("x-tollgate-actor", actor.as_bytes());
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let unreachable =
            |error: reqwest::Error| format!("cannot reach {}: {}", self.url, error.without_url());
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

    /// A whole list, read piece by piece.
    ///
    /// # Errors
    /// As [`Gateway::call`].
    pub(super) async fn list(
        &self,
        path: &str,
        asked: &[(&str, Option<&str>)],
        name: &str,
    ) -> Result<Value, String> {
        self.some(path, asked, name, usize::MAX).await
    }

    /// The first `most` items of a list, as one document of the same form.
    ///
    /// # Errors
    /// As [`Gateway::call`].
    pub(super) async fn some(
        &self,
        path: &str,
        asked: &[(&str, Option<&str>)],
        name: &str,
        most: usize,
    ) -> Result<Value, String> {
        let (mut items, mut next) = (Vec::new(), None::<String>);
        loop {
            let limit = most.saturating_sub(items.len()).min(PIECE).to_string();
            let place = [("limit", Some(limit.as_str())), ("after", next.as_deref())];
            let given = asked.iter().chain(&place).filter_map(|(name, value)| Some((name, (*value)?)));
            let query: Vec<String> =
                given.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
            let mut piece = self.call(Method::GET, &format!("{path}?{}", query.join("&")), None).await?;
            items.extend(piece[name].as_array_mut().map(std::mem::take).unwrap_or_default());
            next = piece["next"].as_str().map(str::to_owned);
            if next.is_none() || items.len() >= most {
                return Ok(json!({ name: items, "next": next }));
            }
        }
    }

    /// Prints the answer as it is for a program, or as `text` for people.
    ///
    /// # Errors
    /// When the answer cannot be read.
    pub(super) fn show(
        &self,
        value: &Value,
        text: impl FnOnce() -> Result<String, String>,
    ) -> Result<(), String> {
        let shown = if self.json { value.to_string() } else { text()? };
        println!("{shown}");
        Ok(())
    }

    fn admin_key(&self) -> Result<String, String> {
        if let Some(key) = &self.admin_key {
            return Ok(key.clone());
        }
        let path = self.data.join("admin-key");
        let text = std::fs::read_to_string(&path).map_err(|error| {
            format!(
                "no admin key: {} cannot be read ({error}); set TOLLGATE_ADMIN_KEY or --data",
                path.display()
            )
        })?;
        Ok(text.trim().to_owned())
    }
}

/// An answer in its type.
///
/// # Errors
/// When it is another.
pub(super) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    T::deserialize(value).map_err(|error| format!("the gateway's answer cannot be read: {error}"))
}

/// Text as one segment or value of an address.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The members that were given, as a body.
pub(super) fn body<const N: usize>(members: [(&str, Value); N]) -> Value {
    let given = members.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(given.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Rows in columns as wide as their widest cell.
pub(super) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

pub(super) fn or_dash(text: Option<impl ToString>) -> String {
    text.map_or_else(|| "-".to_owned(), |text| text.to_string())
}
