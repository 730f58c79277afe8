//! What the cache keeps an answer under, and what is known of the answer.

mod marks;
mod partition;
mod vector;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use marks::{Kept, Mark, Marks, Selector, Served};
pub use partition::{CachePartition, PromptVersion, Shape, ShapeDigest, SharedBy};
pub use vector::QuestionVector;

use super::key::hex;

/// The embedder in the process and its version; a provider's has another name. Vectors of two embedders cannot be compared,
/// so it is part of every partition.
pub const EMBEDDER: &str = "all-minilm-l6-v2-int8-1";

/// What the answer of an entry calls its model where no model gave it but the operator.
pub const SEEDED: &str = "tollgate/seed";

/// The exact tier's key: SHA-256 over canonical JSON, in hex. Two requests share it only if
/// nothing that shapes the answer differs between them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CacheKey(String);

impl CacheKey {
    /// `material` is one JSON object. Its members keep their order, since the order of a schema's
    /// members shapes the answer.
    pub fn of(material: &Value) -> Self {
        CacheKey(hash(material))
    }

    /// The key of bytes as they stand.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        CacheKey(hex(&Sha256::digest(bytes)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a prompt, a version or a tag may be called so: 1 to 100 letters, digits, `.`, `_`, `-`
/// and `/`.
pub fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    (1..=100).contains(&text.len()) && text.chars().all(is_plain)
}

fn hash(material: &Value) -> String {
    hex(&Sha256::digest(material.to_string().as_bytes()))
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// By what an entry may be invalidated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    pub tenant: String,
    pub partition: CachePartition,
    /// The model that was asked for, `provider/model`; only its own answers are kept.
    pub model: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<PromptVersion>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}
