//! The common crate of Tollgate: what the gateway knows and does, apart from how it is deployed.
//!
//! Imports run one way: `domain <- protocol <- ports <- app <- functions`. Adapters (`aws`,
//! `providers`, `vectors`, `memory`, `http`) know `ports` and below, never `app`, and each sits behind a
//! feature, so `cargo check -p shared --no-default-features` proves that the inside does no I/O.

pub mod app;
pub mod clock;
pub mod config;
pub mod domain;
pub mod ports;
pub mod protocol;
pub mod vectors;

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "embed")]
pub mod embed;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "log")]
pub mod log;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "providers")]
pub mod providers;
#[cfg(feature = "signing")]
pub mod signing;
#[cfg(feature = "sinks")]
pub mod sinks;
