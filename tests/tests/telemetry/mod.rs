//! What the gateway tells of its requests.

mod events;
mod export;
mod monitoring;
mod schema;
