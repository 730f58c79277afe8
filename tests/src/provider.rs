//! The demo provider on a loopback port of its own.

use std::net::Ipv4Addr;
use std::sync::Arc;

use async_trait::async_trait;
use aws_credential_types::Credentials;
use local::demo::{self, Demo};
use serde_json::{Value, json};
use shared::clock::SystemClock;
use shared::config::{Config, ProviderConfig, SecretRef};
use shared::ports::FindSecret;
use shared::providers::{Providers, Surroundings};
use shared::signing::Account;
use tokio::net::TcpListener;

/// A running demo provider. It serves as long as the test's runtime lives.
#[derive(Clone)]
pub struct Provider {
    pub demo: Demo,
    base_url: String,
}

impl Provider {
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port has an address");
        let demo = Demo::new();
        tokio::spawn(demo::serve(listener, demo.clone(), std::future::pending()));
        Provider { demo, base_url: format!("http://{address}/v1") }
    }

    /// The entry for one of its dialects; it wants a secret or a signature and takes any.
    pub fn entry_of(&self, dialect: &str) -> Value {
        // Bedrock's paths begin at the root.
        let base_url = match dialect {
            "bedrock" => self.base_url.trim_end_matches("/v1"),
            _ => self.base_url.as_str(),
        };
        let mut entry = json!({ "dialect": dialect, "base_url": base_url, "local": true });
        if dialect == "anthropic" {
            entry["secret"] = json!("env:DEMO");
        }
        entry
    }

    /// The entry of the configuration's `providers` that leads here.
    pub fn entry(&self) -> Value {
        json!({ "base_url": self.base_url, "local": true })
    }

    /// A client for every provider that `config` names; of secrets, only `env:DEMO` is known.
    pub fn clients(config: &Config) -> Arc<Providers> {
        let secret = |provider: &ProviderConfig| {
            let reference = provider.secret.as_ref().map(SecretRef::to_string);
            (reference.as_deref() == Some("env:DEMO")).then(|| "a secret".to_owned())
        };
        let providers = config.providers.values().map(|provider| (provider.clone(), secret(provider)));
        Arc::new(Providers::new(providers, &surroundings()).expect("the client is built"))
    }
}

/// No secrets, and an account of AWS that only signs.
fn surroundings() -> Surroundings {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "tests");
    Surroundings {
        secrets: Arc::new(NoSecrets),
        account: Some(Account { region: "us-east-1".to_owned(), credentials }),
        clock: Arc::new(SystemClock),
    }
}

struct NoSecrets;

#[async_trait]
impl FindSecret for NoSecrets {
    async fn find_secret(&self, reference: &SecretRef) -> Result<String, String> {
        Err(format!("{reference} is not known to tests"))
    }
}
