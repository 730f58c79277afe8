//! Dialects, translated through one canonical request and one canonical stream. Pure.
//!
//! A new inbound dialect adds a reader of requests and a renderer of answers; a new outbound
//! dialect adds a writer of requests and a reader of stream frames. Neither knows the other.

pub mod answer;
pub mod anthropic;
pub mod bedrock;
pub mod canonical;
pub mod claude;
pub mod data_url;
pub mod dialect;
pub mod embeddings;
pub mod error;
pub mod fields;
pub mod forced_tool;
pub mod frame;
pub mod inbound;
pub mod json;
pub mod openai;
pub mod outbound;
pub mod responses;
mod schema;
pub mod seed;
pub mod shape;
pub mod size;
pub mod sse;
pub mod support;
pub mod tool_id;
