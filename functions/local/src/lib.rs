//! The `tollgate` command: the whole gateway in one process on a laptop, and the tools that talk
//! to a running one. Never deployed.

pub mod commands;
pub mod demo;
pub mod dev;
pub mod embedded;
