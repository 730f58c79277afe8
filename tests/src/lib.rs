//! The harness of the integration tests: the gateway in this process over stores in memory, with
//! the scripted demo provider as upstream.

mod app;
mod provider;
mod reply;
mod settled;
mod setup;

pub use app::{COMPLETIONS, TestApp, User, question};
pub use provider::Provider;
pub use reply::Reply;
pub use settled::settled;
pub use setup::{Ports, Setup};
