//! The Anthropic Messages dialect, inbound and outbound.

pub mod count;
pub mod field_list;
mod message;
mod neutral;
mod options;
pub mod outbound;
pub mod render;
pub mod request;
pub mod stream;
mod thinking;
mod turns;
mod usage;
