//! How often the semantic cache is right: its own rules and embedder, on questions that people
//! labelled.

pub mod answers;
pub mod clock;
pub mod pairs;
pub mod sets;
pub mod share;
pub mod stream;
pub mod vectors;
