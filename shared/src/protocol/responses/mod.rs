//! The OpenAI Responses dialect, inbound and stateless.
//!
//! No conversation is stored: what continues one is refused by name, and the reply says
//! `store: false` whatever was asked, because `true` is the API's default and SDKs send it. A
//! conversation goes on by sending its items again, or references to those of the last day. What a provider must see again and the
//! dialect has no place for (blocks of reasoning under their seals, Google's seals on calls) travels
//! in the `encrypted_content` of reasoning items, which clients keep for that very purpose; ids of
//! items they do not all send back.

mod compose;
mod echo;
mod events;
mod field_list;
mod input;
mod item;
pub mod references;
pub(super) mod render;
pub(super) mod request;
mod sealed;
pub(super) mod stream;
mod usage;
