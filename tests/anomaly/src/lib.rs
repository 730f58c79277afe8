//! Keys of different size with a daily and weekly pattern and noise, played through the anomaly throttle as
//! `usage` plays the ledger: closed hours into a history, the last minute in slices of ten seconds, a
//! judgement with every batch of the ledger's stream.
//!
//! [`quiet`] counts what normal traffic raises, [`spike`] how long an attack goes unnoticed. The
//! constants in `domain/anomaly` were chosen on [`TUNING_SEEDS`]; what is published is of other seeds.

pub mod bound;
pub mod dice;
pub mod figures;
pub mod pattern;
pub mod quiet;
pub mod spike;
pub mod variance;

/// Constants were chosen by the figures of these seeds, so their figures say nothing.
pub const TUNING_SEEDS: [u64; 18] =
    [1, 2, 3, 4, 5, 101, 102, 103, 201, 202, 203, 204, 205, 301, 302, 303, 304, 305];
pub const REPORTED_SEEDS: [u64; 5] = [401, 402, 403, 404, 405];
/// Seconds that the ledger's stream gathers, as in `infra/template.yaml`.
pub const BATCH_SECONDS: i64 = 10;
