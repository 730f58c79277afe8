//! The OpenAI chat-completions dialect, inbound and outbound.

mod calls;
pub mod field_list;
pub(super) mod message;
pub mod options;
pub mod outbound;
pub mod render;
pub mod request;
pub mod stream;
mod turns;
mod usage;
