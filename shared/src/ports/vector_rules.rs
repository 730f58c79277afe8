//! What every store of vectors has to do alike.

#[cfg(any(feature = "aws", feature = "wire"))]
use std::collections::BTreeMap;

use super::StoreError;
#[cfg(any(feature = "aws", feature = "wire"))]
use super::VectorRecord;

/// Of records with the same partition and id the last, in the order of their keys, so that writers
/// of the same records wait for each other in one order.
#[cfg(any(feature = "aws", feature = "wire"))]
pub(crate) fn latest(records: &[VectorRecord]) -> Vec<&VectorRecord> {
    let latest: BTreeMap<_, _> =
        records.iter().map(|record| ((&record.partition, &record.id), record)).collect();
    latest.into_values().collect()
}

/// The cosine for a distance of 0, the same direction, to 2, the opposite one.
#[cfg(any(feature = "aws", feature = "vectors-redis"))]
pub(crate) fn cosine_of(distance: f64) -> f32 {
    cosine(1.0 - distance)
}

/// A cosine as it is told. Stores go a little beyond both of its ends.
pub(crate) fn cosine(computed: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "f32 is what the vectors are made of")]
    let cosine = computed as f32;
    cosine.clamp(-1.0, 1.0)
}

/// # Errors
/// [`StoreError::Rejected`] where the index is one for vectors of another size.
pub(crate) fn same_size(name: &str, stored: usize, wanted: usize) -> Result<(), StoreError> {
    match stored == wanted {
        true => Ok(()),
        false => Err(StoreError::Rejected(format!(
            "the index {name} is for vectors of {stored} components, not {wanted}"
        ))),
    }
}
