//! Usage: the rollups, whatever becomes of the stream that feeds them, and the reports.

mod jitter;
mod pipeline;
mod reports;
mod world;
