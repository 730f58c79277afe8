//! Where near matches are searched: among the answers to requests that differ in nothing but what
//! the user said last.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CacheKey, hash, is_name};

/// Who shares an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedBy<'a> {
    Key { key_id: &'a str },
    Tenant { tenant: &'a str },
    User { key_id: &'a str, user: &'a str },
}

/// A version of a prompt, as the caller names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptVersion {
    pub id: String,
    pub version: String,
}

impl PromptVersion {
    /// Reads `ID@VERSION`.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, version) = text.split_once('@').filter(|(id, version)| is_name(id) && is_name(version))?;
        Some(PromptVersion { id: id.to_owned(), version: version.to_owned() })
    }
}

/// Everything that shapes an answer but what the user said last. There is no way to leave a part
/// out: it has no default, and each part is named where one is built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape<'a> {
    pub shared_by: SharedBy<'a>,
    /// `provider/model`.
    pub model: &'a str,
    /// System and developer messages.
    pub system: &'a Value,
    pub prompt: Option<&'a PromptVersion>,
    /// `cache.version_key` of the configuration.
    pub version_key: &'a str,
    /// Every turn before the last user message, word for word.
    pub history: &'a Value,
    /// Sampling, limits, reasoning, and every field that is passed on.
    pub parameters: &'a Value,
    pub tools: &'a Value,
    pub format: &'a Value,
    pub locale: Option<&'a str>,
    /// What the last user message holds beside its text.
    pub attachments: &'a Value,
    /// The version of the rules by which answers are kept and given again.
    pub policy: u32,
    /// The embedder and its version.
    pub embedder: &'a str,
}

impl Shape<'_> {
    /// Hashes it once; keys and partitions are made of that.
    pub fn digest(&self) -> ShapeDigest {
        let owner = match self.shared_by {
            SharedBy::Key { key_id } => json!(["key", key_id]),
            SharedBy::Tenant { tenant } => json!(["tenant", tenant]),
            SharedBy::User { key_id, user } => json!(["user", key_id, user]),
        };
        ShapeDigest(hash(&json!({
            "owner": owner,
            "model": self.model,
            "system": self.system,
            "prompt": self.prompt,
            "version_key": self.version_key,
            "history": self.history,
            "parameters": self.parameters,
            "tools": self.tools,
            "format": self.format,
            "locale": self.locale,
            "attachments": self.attachments,
            "policy": self.policy,
            "embedder": self.embedder,
        })))
    }
}

/// SHA-256 over a [`Shape`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeDigest(String);

impl ShapeDigest {
    /// The exact tier's key: the shape, and the last user text.
    pub fn key(&self, text: &str) -> CacheKey {
        CacheKey::of(&json!([self.0, text]))
    }

    /// The semantic tier's partition. The tenant is known only once the key was looked up.
    pub fn partition(&self, tenant: &str) -> CachePartition {
        CachePartition(hash(&json!([tenant, self.0])))
    }
}

/// SHA-256 over the tenant and a [`ShapeDigest`], in hex. Made of nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CachePartition(String);

impl CachePartition {
    /// Reads one that was told before.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        (text.len() == 64 && text.chars().all(is_digit)).then(|| CachePartition(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CachePartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
