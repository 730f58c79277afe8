//! What the adapters of servers have in common: keys and order.

use sha2::{Digest, Sha256};

use crate::domain::key::hex;
#[cfg(feature = "vectors-redis")]
use crate::ports::Neighbour;
use crate::ports::StoreError;

/// SHA-256 of a partition, in hex: of one length, and without a character that means something to
/// a server.
pub(super) fn digest(text: &str) -> String {
    hex(&Sha256::digest(text))
}

#[cfg(feature = "vectors-redis")]
pub(super) fn by_similarity(mut neighbours: Vec<Neighbour>) -> Vec<Neighbour> {
    neighbours.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    neighbours
}

pub(super) fn malformed(what: &str) -> StoreError {
    StoreError::Rejected(format!("the store of vectors gave no readable {what}"))
}
