//! Usage: the rollups, whatever becomes of the stream that feeds them, and the reports.

mod anomaly;
mod jitter;
mod pipeline;
mod receipts;
mod reports;
mod world;
