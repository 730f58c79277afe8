//! A running gateway, as commands reach its admin API.

use std::path::PathBuf;

use clap::Args;
use reqwest::Method;
use serde_json::Value;
use shared::client::{Reach, client};

#[derive(Debug, Args)]
pub(super) struct Remote {
    /// The gateway to talk to.
    #[arg(long, global = true, default_value = "http://localhost:3000")]
    url: String,
    /// Data directory of a gateway on this machine, whose admin key is used.
    #[arg(long, global = true, default_value = ".tollgate")]
    data: PathBuf,
    /// The admin key, instead of the data directory's.
    #[arg(long, global = true, env = "TOLLGATE_ADMIN_KEY", hide_env_values = true)]
    admin_key: Option<String>,
    /// Print one JSON document instead of text.
    #[arg(long, global = true)]
    json: bool,
}

impl Remote {
    /// The document that the gateway answers.
    ///
    /// # Errors
    /// What the gateway said, or why it could not be asked.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, String> {
        let url = format!("{}{path}", self.url.trim_end_matches('/'));
        let client = client(Reach::Any).map_err(|error| error.to_string())?;
        let mut request = client.request(method, &url).bearer_auth(self.admin_key()?);
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

    fn admin_key(&self) -> Result<String, String> {
        if let Some(key) = &self.admin_key {
            return Ok(key.clone());
        }
        let path = self.data.join("admin-key");
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let path = path.display();
            format!("no admin key: {path} cannot be read ({error}); set TOLLGATE_ADMIN_KEY or --data")
        })?;
        Ok(text.trim().to_owned())
    }

    /// Prints a document, or for people what `text` makes of it.
    ///
    /// # Errors
    /// Those of `text`.
    pub(super) fn show(
        &self,
        value: &Value,
        text: impl FnOnce() -> Result<String, String>,
    ) -> Result<(), String> {
        let shown = if self.json { value.to_string() } else { text()? };
        println!("{shown}");
        Ok(())
    }
}
