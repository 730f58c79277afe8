//! The harness of the integration tests: the gateway in this process over stores in memory, with
//! the scripted demo provider as upstream.

mod admin;
mod alerts;
mod app;
mod clocks;
mod noting;
mod provider;
mod reply;
mod semantic;
mod settled;
mod setup;
mod usage;

pub use admin::Fails;
pub use alerts::{NoSinks, watch};
pub use app::{CHAT, COMPLETIONS, TestApp, User, question, unbounded};
pub use clocks::{Ahead, At, Set};
pub use noting::Noting;
pub use provider::Provider;
pub use reply::Reply;
pub use semantic::{Jobs, Scan, Semantic, Words};
pub use settled::{balanced, settled};
pub use setup::{Ports, Setup};
pub use usage::UsageParts;
