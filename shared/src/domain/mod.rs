//! What is true whatever the store, the provider or the dialect: money, prices, holds, keys,
//! limits, the circuit breaker. Pure: no I/O, no clock, no randomness of its own.

pub mod alert;
pub mod anomaly;
pub mod audit;
pub mod bound;
pub mod breaker;
pub mod bypass;
pub mod cache;
pub mod counter;
pub mod event;
pub mod guard;
pub mod histogram;
pub mod id;
pub mod idempotency;
pub mod key;
pub mod ledger;
pub mod money;
pub mod notes;
pub mod partition;
pub mod policy;
pub mod price;
pub mod price_book;
pub mod reservation;
pub mod rollup;
pub mod session;
pub mod settlement;
pub mod share;
pub mod time;
pub mod token;
pub mod trace;
pub mod usage;
pub mod verdict;
