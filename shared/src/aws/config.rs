//! Who calls AWS and where, from the environment. On Lambda the credentials of the role stand in
//! the environment, so the credential chain of `aws-config` would only cost cold start.

use std::fmt;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::BehaviorVersion;

use crate::signing::Account;

/// Region, credentials, and an endpoint that stands in for every service where one is set.
#[derive(Clone, Debug)]
pub struct AwsConfig {
    pub region: String,
    /// Its debug form hides the secret.
    pub credentials: Credentials,
    /// `AWS_ENDPOINT_URL`: an emulator.
    pub endpoint: Option<String>,
}

/// A variable that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub &'static str);

impl AwsConfig {
    /// Pinned, so that an update of the SDK does not change retries or defaults by itself.
    pub(super) fn behavior() -> BehaviorVersion {
        BehaviorVersion::v2026_01_12()
    }

    /// # Errors
    /// [`ConfigError`] naming the variable that is missing.
    pub fn from_env() -> Result<Self, ConfigError> {
        AwsConfig::from_lookup(|name| std::env::var(name).ok())
    }

    /// As [`AwsConfig::from_env`], with the variables given by `lookup`. An empty one counts as
    /// missing.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let optional = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let required = |name: &'static str| optional(name).ok_or(ConfigError(name));
        let region = optional("AWS_REGION")
            .or_else(|| optional("AWS_DEFAULT_REGION"))
            .ok_or(ConfigError("AWS_REGION"))?;
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            optional("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        Ok(AwsConfig { region, credentials, endpoint: optional("AWS_ENDPOINT_URL") })
    }
}

impl From<&AwsConfig> for Account {
    fn from(config: &AwsConfig) -> Self {
        Account { region: config.region.clone(), credentials: config.credentials.clone() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the environment variable {} is not set", self.0)
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup<'a>(set: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| {
            let found = set.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn the_variables_of_lambda_are_enough() {
        let config = AwsConfig::from_lookup(lookup(&[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKID"),
            ("AWS_SECRET_ACCESS_KEY", "very-secret"),
            ("AWS_SESSION_TOKEN", "token"),
        ]))
        .expect("complete");
        assert_eq!((config.region.as_str(), config.endpoint.as_deref()), ("eu-west-1", None));
        assert_eq!(config.credentials.session_token(), Some("token"));
        assert!(!format!("{config:?}").contains("very-secret"));
    }

    #[test]
    fn a_missing_variable_is_named() {
        let missing = |set: &[(&str, &str)]| AwsConfig::from_lookup(lookup(set)).unwrap_err();
        assert_eq!(missing(&[]), ConfigError("AWS_REGION"));
        assert_eq!(
            missing(&[("AWS_DEFAULT_REGION", "r"), ("AWS_ACCESS_KEY_ID", "")]).to_string(),
            "the environment variable AWS_ACCESS_KEY_ID is not set"
        );
    }
}
