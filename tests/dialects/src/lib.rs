//! What the parsers and the translations promise, checked on bytes that nobody chose: the targets
//! of the fuzzer, and the round trip of a request through every pair of dialects.

pub mod draw;
pub mod exchange;
pub mod outbounds;
pub mod round_trip;
pub mod targets;
pub mod told;
pub mod wire;
