//! Secrets by reference: the environment, or one signed call to Secrets Manager.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;

use super::AwsConfig;
use crate::config::SecretRef;
use crate::domain::time::Timestamp;
use crate::ports::{Clock, FindSecret};
use crate::signing::Signer;

const SERVICE: &str = "secretsmanager";
const TRIES: u32 = 3;
const TIMEOUT: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(100);

/// Resolves references at cold start.
#[derive(Clone, Debug)]
pub struct Secrets {
    http: reqwest::Client,
    aws: Option<AwsConfig>,
}

/// [`Secrets`] with the clock that its calls are signed by.
pub struct LiveSecrets {
    pub secrets: Secrets,
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl FindSecret for LiveSecrets {
    async fn find_secret(&self, reference: &SecretRef) -> Result<String, String> {
        self.secrets.resolve(reference, self.clock.now()).await.map_err(|error| error.to_string())
    }
}

/// Why a secret could not be had. Names the reference, never the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretError {
    pub reference: SecretRef,
    pub why: String,
}

/// Whether another try may succeed.
enum Failure {
    Passing(String),
    Lasting(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretValue {
    secret_string: String,
}

impl Secrets {
    /// Without `aws`, only `env:` references can be resolved.
    pub fn new(http: reqwest::Client, aws: Option<AwsConfig>) -> Self {
        Secrets { http, aws }
    }

    /// # Errors
    /// [`SecretError`] when it is not set, empty, or cannot be fetched.
    pub async fn resolve(&self, reference: &SecretRef, now: Timestamp) -> Result<String, SecretError> {
        let found = match reference {
            SecretRef::Env(name) => std::env::var(name).map_err(|_| "the variable is not set".to_owned()),
            SecretRef::SecretsManager(name) => self.fetch(name, now).await,
        };
        let why = match found {
            Ok(secret) if !secret.is_empty() => return Ok(secret),
            Ok(_) => "it is empty".to_owned(),
            Err(why) => why,
        };
        Err(SecretError { reference: reference.clone(), why })
    }

    async fn fetch(&self, name: &str, now: Timestamp) -> Result<String, String> {
        let aws = self.aws.as_ref().ok_or("AWS region and credentials are not set")?;
        let mut last = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            match self.call(aws, name, now).await {
                Ok(secret) => return Ok(secret),
                Err(Failure::Lasting(why)) => return Err(why),
                Err(Failure::Passing(why)) => last = why,
            }
        }
        Err(last)
    }

    async fn call(&self, aws: &AwsConfig, name: &str, now: Timestamp) -> Result<String, Failure> {
        let request = get_secret_value(aws, name, now).map_err(Failure::Lasting)?;
        let mut request =
            reqwest::Request::try_from(request).map_err(|error| Failure::Lasting(error.to_string()))?;
        *request.timeout_mut() = Some(TIMEOUT);
        let passing = |error: reqwest::Error| Failure::Passing(error.to_string());
        let response = self.http.execute(request).await.map_err(passing)?;
        let status = response.status();
        let body = response.bytes().await.map_err(passing)?;
        if status.is_success() {
            let value: Result<SecretValue, _> = serde_json::from_slice(&body);
            // The parser's message could quote the secret.
            let unreadable = |_| Failure::Lasting("the secret is no plain string".to_owned());
            return value.map(|value| value.secret_string).map_err(unreadable);
        }
        let why = format!("Secrets Manager answered {status}: {}", error_type(&body));
        match status.is_server_error() || status.as_u16() == 429 || why.contains("Throttl") {
            true => Err(Failure::Passing(why)),
            false => Err(Failure::Lasting(why)),
        }
    }
}

fn get_secret_value(aws: &AwsConfig, name: &str, now: Timestamp) -> Result<http::Request<String>, String> {
    let suffix = if aws.region.starts_with("cn-") { ".cn" } else { "" };
    let regional = || format!("https://{SERVICE}.{}.amazonaws.com{suffix}/", aws.region);
    let mut request = http::Request::post(aws.endpoint.clone().unwrap_or_else(regional))
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "secretsmanager.GetSecretValue")
        .body(json!({"SecretId": name}).to_string())
        .map_err(|error| error.to_string())?;
    let signer = Signer { credentials: &aws.credentials, region: &aws.region, service: SERVICE, now };
    signer.sign(&mut request)?;
    Ok(request)
}

fn error_type(body: &[u8]) -> String {
    let parsed: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let name = parsed["__type"].as_str().unwrap_or("unknown error");
    name.rsplit('#').next().unwrap_or(name).to_owned()
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "secret {}: {}", self.reference, self.why)
    }
}

impl std::error::Error for SecretError {}

#[cfg(test)]
mod tests;
