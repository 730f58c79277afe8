//! One integration test binary: the store contract and what runs over the whole gateway.

mod contract;
mod gateway;
