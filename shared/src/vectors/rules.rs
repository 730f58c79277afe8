//! What the adapters of servers have in common: keys and order.

use sha2::{Digest, Sha256};

use crate::domain::key::hex;
#[cfg(any(feature = "vectors-redis", feature = "vectors-milvus"))]
use crate::ports::Neighbour;
use crate::ports::StoreError;

/// SHA-256 of a partition, in hex: of one length, and without a character that means something to
/// a server.
pub(super) fn digest(text: &str) -> String {
    hex(&Sha256::digest(text))
}

#[cfg(any(feature = "vectors-redis", feature = "vectors-milvus"))]
pub(super) fn by_similarity(mut neighbours: Vec<Neighbour>) -> Vec<Neighbour> {
    neighbours.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    neighbours
}

/// The components of a vector, little end first.
#[cfg(any(feature = "vectors-redis", feature = "vectors-milvus"))]
pub(super) fn bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|component| component.to_le_bytes()).collect()
}

pub(super) fn malformed(what: &str) -> StoreError {
    StoreError::Rejected(format!("the store of vectors gave no readable {what}"))
}
