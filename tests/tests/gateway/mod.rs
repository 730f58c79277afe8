//! The gateway as its callers see it: the real handler over stores in memory, in front of the
//! scripted provider on loopback.

mod bad_input;
mod breaker;
mod counting;
mod embeddings;
mod faults;
mod idempotency;
mod messages;
mod responses;
mod round_trips;
mod settings;
mod sweep;
mod tokens;
