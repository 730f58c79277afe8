//! References to secrets: where a secret is kept, never the secret itself.

use std::fmt;
use std::str::FromStr;

/// Where to find a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretRef {
    /// An environment variable: `env:OPENAI_API_KEY`.
    Env(String),
    /// A secret of AWS Secrets Manager by name or ARN: `secretsmanager:tollgate/openai`.
    SecretsManager(String),
}

/// A text that is no reference. Carries nothing of the text: it may be the secret itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretRefError;

impl FromStr for SecretRef {
    type Err = SecretRefError;

    /// # Errors
    /// [`SecretRefError`] unless the text is `env:NAME` or `secretsmanager:NAME-OR-ARN`.
    fn from_str(text: &str) -> Result<SecretRef, SecretRefError> {
        match text.split_once(':') {
            Some(("env", name)) if is_variable(name) => Ok(SecretRef::Env(name.to_owned())),
            Some(("secretsmanager", name)) if is_secret_name(name) => {
                Ok(SecretRef::SecretsManager(name.to_owned()))
            }
            _ => Err(SecretRefError),
        }
    }
}

fn is_variable(name: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let digit_first = name.starts_with(|first: char| first.is_ascii_digit());
    (1..=128).contains(&name.len()) && !digit_first && name.bytes().all(word)
}

/// Secrets Manager takes letters, digits and `/_+=.@-` in a name; an ARN adds colons.
fn is_secret_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-:".contains(&byte);
    (1..=2048).contains(&name.len()) && name.bytes().all(allowed)
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretRef::Env(name) => write!(f, "env:{name}"),
            SecretRef::SecretsManager(name) => write!(f, "secretsmanager:{name}"),
        }
    }
}

impl fmt::Display for SecretRefError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must refer to a secret as env:NAME or secretsmanager:NAME, not be one")
    }
}

impl std::error::Error for SecretRefError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_round_trip() {
        for text in [
            "env:OPENAI_API_KEY",
            "secretsmanager:tollgate/openai",
            "secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:key-AbC",
        ] {
            let reference: SecretRef = text.parse().expect(text);
            assert_eq!(reference.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_reference_is_refused_without_being_quoted() {
        for text in
            ["", "sk-proj-123", "env:", "env:1A", "env:A B", "file:/etc/key", "ENV:A", "secretsmanager:"]
        {
            let refused = text.parse::<SecretRef>().expect_err(text).to_string();
            assert!(text.is_empty() || !refused.contains(&format!("{text:?}")), "{refused}");
            assert!(!refused.contains("sk-proj"), "{refused}");
        }
    }
}
