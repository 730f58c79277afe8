//! What the adapters of servers have in common: keys, order and similarity.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

#[cfg(feature = "vectors-redis")]
use crate::ports::Neighbour;
use crate::ports::{StoreError, VectorRecord};

/// SHA-256 of a partition, in hex: of one length, and without a character that means something to
/// a server.
pub(super) fn digest(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes everything");
        hex
    })
}

/// Of records with the same partition and id the last, in the order of their keys, so that writers
/// of the same records wait for each other in one order.
pub(super) fn latest(records: &[VectorRecord]) -> Vec<&VectorRecord> {
    let latest: BTreeMap<_, _> =
        records.iter().map(|record| ((&record.partition, &record.id), record)).collect();
    latest.into_values().collect()
}

/// The cosine for a distance of 0, the same direction, to 2, the opposite one. Servers go a little
/// beyond both.
#[cfg(feature = "vectors-redis")]
pub(super) fn cosine_of(distance: f64) -> f32 {
    super::clamped(1.0 - distance)
}

#[cfg(feature = "vectors-redis")]
pub(super) fn by_similarity(mut neighbours: Vec<Neighbour>) -> Vec<Neighbour> {
    neighbours.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    neighbours
}

pub(super) fn malformed(what: &str) -> StoreError {
    StoreError::Rejected(format!("the store of vectors gave no readable {what}"))
}
