//! The gateway as its callers see it: the real handler over stores in memory, in front of the
//! scripted provider on loopback.

mod alerts;
mod bad_input;
mod breaker;
mod budgets;
mod counting;
mod embeddings;
mod faults;
mod give_back;
mod idempotency;
mod instances;
mod messages;
mod queued;
mod responses;
mod round_trips;
mod settings;
mod shards;
mod sweep;
mod tokens;
mod units;
