//! The exact tier's key: a hash over everything that shapes an answer.

use std::fmt;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::key::hex;

/// SHA-256 over canonical JSON, in hex. Two requests share it only if nothing that shapes the
/// answer differs between them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CacheKey(String);

impl CacheKey {
    /// `material` is one JSON object. Its members keep their order, since the order of a schema's
    /// members shapes the answer.
    pub fn of(material: &Value) -> Self {
        CacheKey(hex(&Sha256::digest(material.to_string().as_bytes())))
    }

    /// The key of bytes as they stand.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        CacheKey(hex(&Sha256::digest(bytes)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
