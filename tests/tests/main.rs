//! One integration test binary: the store contract and what runs over the whole gateway.

mod admin;
mod alerts;
mod arrows;
mod cache;
mod contract;
mod endings;
mod fleet;
mod gateway;
mod outages;
mod sinks;
mod usage;
