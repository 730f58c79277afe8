//! Vectors without a model: the same text always has the same one, and other texts others.

use sha2::{Digest, Sha256};

pub(super) const DIMENSIONS: usize = 8;
pub(super) const MAX_DIMENSIONS: usize = 4096;

/// A hash of `text` drawn out to so many dimensions, each between -1 and 1.
pub(super) fn vector(text: &[u8], dimensions: usize) -> Vec<f32> {
    let blocks =
        (0_u32..).map(|block| Sha256::new().chain_update(block.to_le_bytes()).chain_update(text).finalize());
    let words = blocks.flat_map(|block| block.chunks_exact(4).map(unit).collect::<Vec<f32>>());
    words.take(dimensions).collect()
}

/// The same direction, at length 1.
pub(super) fn normalised(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    vector.iter().map(|value| value / length.max(f32::MIN_POSITIVE)).collect()
}

fn unit(bytes: &[u8]) -> f32 {
    let bytes = bytes.try_into().expect("the chunks have four bytes");
    i32::from_le_bytes(bytes) as f32 / i32::MAX as f32
}
