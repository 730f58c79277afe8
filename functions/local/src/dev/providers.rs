//! Providers of a gateway on a laptop: those with a key in the environment, and the demo one.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use async_trait::async_trait;
use shared::config::{Config, Dialect, Prices, ProviderConfig, SecretRef, known_providers};
use shared::ports::FindSecret;
use tokio::net::TcpListener;

use crate::demo::{self, Demo};

/// What was found, ready to be called.
pub struct Provided {
    pub config: Config,
    /// Each provider with its secret.
    pub providers: Vec<(ProviderConfig, Option<String>)>,
    /// No provider key was found, so the demo provider answers for all of them.
    pub demo_stands_in: bool,
}

/// Starts the demo provider and resolves secrets from the environment.
///
/// # Errors
/// When the demo provider cannot listen.
pub(super) async fn provide(mut config: Config, prices: &Prices) -> Result<Provided, String> {
    let (demo, base_url) = start_demo().await?;
    config.providers.entry("demo".to_owned()).or_insert_with(|| served_by_demo("demo", &base_url));
    let mut names: Vec<String> = known_providers().map(str::to_owned).collect();
    names.extend(config.providers.keys().cloned());
    names.sort();
    names.dedup();
    let found: Vec<(ProviderConfig, Option<String>)> = names
        .iter()
        .filter_map(|name| config.provider(name))
        .map(|provider| (secret(&provider), provider))
        .map(|(s, p)| (p, s))
        .collect();
    let demo_stands_in = !config.routing.chain().any(|model| {
        found.iter().any(|(p, secret)| p.name == model.provider() && usable(p, secret.as_ref()))
    });
    if !demo_stands_in {
        return Ok(Provided { config, providers: found, demo_stands_in });
    }
    let providers = found
        .into_iter()
        .map(|(provider, secret)| match usable(&provider, secret.as_ref()) {
            true => (provider, secret),
            false => {
                let model_of =
                    |row: &str| row.strip_prefix(&format!("{}/", provider.name)).map(str::to_owned);
                let models =
                    prices.rows().iter().filter_map(|row| model_of(&row.model)).filter(|model| model != "*");
                models.for_each(|model| {
                    demo.set_behaviour(&model, "ok").unwrap_or_else(|error| tracing::warn!(%error, "demo"))
                });
                (served_by_demo(&provider.name, &base_url), None)
            }
        })
        .collect();
    Ok(Provided { config, providers, demo_stands_in })
}

async fn start_demo() -> Result<(Demo, String), String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(|error| format!("demo provider: {error}"))?;
    let address = listener.local_addr().map_err(|error| format!("demo provider: {error}"))?;
    let demo = Demo::new();
    tokio::spawn(demo::serve(listener, demo.clone(), std::future::pending()));
    Ok((demo, format!("http://{address}/v1")))
}

fn served_by_demo(name: &str, base_url: &str) -> ProviderConfig {
    ProviderConfig {
        name: name.to_owned(),
        dialect: Dialect::OpenAi,
        base_url: base_url.parse().ok(),
        secret: None,
        local: true,
        region: None,
        models: BTreeMap::new(),
    }
}

fn usable(provider: &ProviderConfig, secret: Option<&String>) -> bool {
    // Bedrock has an address in each region, and is signed where no key is named.
    let is_signed = provider.dialect == Dialect::Bedrock
        && provider.secret.is_none()
        && std::env::var_os("AWS_ACCESS_KEY_ID").is_some_and(|key| !key.is_empty());
    is_signed || provider.base_url.is_some() && provider.secret.is_some() == secret.is_some()
}

fn secret(provider: &ProviderConfig) -> Option<String> {
    match read_secret(provider.secret.as_ref()?) {
        Ok(secret) => Some(secret),
        Err(why) => {
            tracing::info!(provider = provider.name, why, "provider is left out");
            None
        }
    }
}

/// Secrets of a laptop: variables of the environment, and no others.
pub(super) struct EnvironmentSecrets;

#[async_trait]
impl FindSecret for EnvironmentSecrets {
    async fn find_secret(&self, reference: &SecretRef) -> Result<String, String> {
        read_secret(reference)
    }
}

fn read_secret(reference: &SecretRef) -> Result<String, String> {
    match reference {
        SecretRef::Env(name) => std::env::var(name)
            .ok()
            .filter(|value| !value.is_empty())
            .ok_or_else(|| format!("the variable {name} is not set")),
        SecretRef::SecretsManager(name) => {
            Err(format!("secret {name} is in AWS, which a laptop does not read; use env:NAME"))
        }
    }
}
