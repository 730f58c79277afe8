//! What `tollgate dev` says when it serves: a key, and a line to paste.

use std::path::Path;

use serde_json::json;

use super::gateway::Gateway;
use super::{Search, files};

/// Prints the banner and the line that scripts wait for.
pub(super) async fn print(
    gateway: &Gateway,
    data: &Path,
    url: &str,
    demo_stands_in: bool,
    searched: Option<Search>,
) -> Result<(), String> {
    let key = laptop_key(gateway, data).await?;
    let model = &gateway.app.config.routing.primary;
    println!("Tollgate {} with its data in {}", env!("CARGO_PKG_VERSION"), data.display());
    if demo_stands_in {
        println!(
            "No provider key was found (see .env.example): the scripted demo provider answers for {model}."
        );
    }
    let provider = gateway.app.config.cache.provider;
    match searched {
        None => println!(
            "Near questions are not searched: no embedder was found (--embedder DIR, or `make dev`)."
        ),
        Some(Search::Server) => println!("Near questions are searched by {provider}."),
        Some(Search::Memory) if provider.has_server() => {
            println!("Near questions are searched in memory: cache.store.url names no server of {provider}.")
        }
        Some(_) => {}
    }
    println!(
        "\n  curl -N {url}/v1/chat/completions -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\"
    );
    println!(
        "    -d '{{\"model\": \"{model}\", \"stream\": true, \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'\n"
    );
    println!("The admin key is in {}.", data.join("admin-key").display());
    println!("ready {url}");
    Ok(())
}

/// The key of the banner, with a budget of five dollars a day. A key that the stores no longer
/// know, as after a run in memory, is made anew.
async fn laptop_key(gateway: &Gateway, data: &Path) -> Result<String, String> {
    let path = data.join("laptop-key");
    let known = match std::fs::read_to_string(&path) {
        Ok(text) => Some(text.trim().to_owned()),
        Err(_) => None,
    };
    if let Some(key) = known {
        if shared::app::authenticate::authenticate_token(&gateway.app, Some(&key)).await.is_ok() {
            return Ok(key);
        }
        std::fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let fields = json!({ "name": "laptop", "budgetUsd": "5", "period": "day" });
    let who = gateway.office.admin.who(Some("tollgate dev".to_owned()), None);
    let made = gateway.office.admin.create(&who, fields.as_object().cloned().unwrap_or_default()).await;
    let key = made.map_err(|refused| format!("cannot make a key: {refused:?}"))?.key.unwrap_or_default();
    files::keep(&path, || key)
}
