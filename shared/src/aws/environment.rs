//! What every deployed function reads at cold start: its environment, its files, its secrets.

use std::path::PathBuf;
use std::sync::Arc;

use super::{AwsConfig, Clients, Patience, Secrets, SharedHttpClient, http_client};
use crate::client::{Reach, client};
use crate::clock::SystemClock;
use crate::config::{self, Config, Prices, SecretRef};
use crate::domain::key::Pepper;
use crate::ports::Clock;

/// Why a function cannot start; the text names the variable or file.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// The surroundings of one function.
pub struct Environment {
    pub config: Config,
    pub aws: AwsConfig,
    /// The one HTTP client, and the same as the SDK wants it.
    pub client: reqwest::Client,
    pub http: SharedHttpClient,
    pub clients: Clients,
    pub secrets: Secrets,
    pub clock: Arc<dyn Clock>,
}

impl Environment {
    /// Reads the configuration and builds the clients; nothing is called yet.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn load() -> Result<Self, StartError> {
        let config = config::load(&file("TOLLGATE_CONFIG", "ai-gateway.json"))?;
        let aws = AwsConfig::from_env()?;
        let client = client(Reach::Any)?;
        let http = http_client(client.clone());
        let clients = Clients::new(&aws, &http, Patience::default());
        let secrets = Secrets::new(client.clone(), Some(aws.clone()));
        Ok(Environment { config, aws, client, http, clients, secrets, clock: Arc::new(SystemClock) })
    }

    /// The price list beside the configuration.
    ///
    /// # Errors
    /// [`StartError`] with every fault of the file.
    pub fn prices(&self) -> Result<Prices, StartError> {
        Ok(config::load_prices(&file("TOLLGATE_PRICES", "prices.json"))?)
    }

    /// The pepper that `KEY_PEPPER` refers to.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn pepper(&self) -> Result<Pepper, StartError> {
        Ok(Pepper { version: 1, secret: self.secret("KEY_PEPPER").await?.into_bytes() })
    }

    /// The secret that a variable refers to, `env:NAME` or `secretsmanager:NAME`.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn secret(&self, name: &str) -> Result<String, StartError> {
        let reference: SecretRef = variable(name)?.parse()?;
        Ok(self.secrets.resolve(&reference, self.clock.now()).await?)
    }
}

/// A variable the template sets.
///
/// # Errors
/// [`StartError`] naming it.
pub fn variable(name: &str) -> Result<String, StartError> {
    std::env::var(name).map_err(|_| format!("the environment variable {name} is not set").into())
}

/// The folder with the embedder's weights: the one that `TOLLGATE_EMBEDDER` names, or the one that is
/// packed with the function.
pub fn embedder_folder() -> PathBuf {
    let root = std::env::var("LAMBDA_TASK_ROOT").map(PathBuf::from).unwrap_or_default();
    std::env::var("TOLLGATE_EMBEDDER").map_or_else(|_| root.join("embedder"), PathBuf::from)
}

/// The file a variable names, or the one that is packed with the function.
fn file(name: &str, packed: &str) -> PathBuf {
    let root = std::env::var("LAMBDA_TASK_ROOT").map(PathBuf::from).unwrap_or_default();
    std::env::var(name).map_or_else(|_| root.join("config").join(packed), PathBuf::from)
}
