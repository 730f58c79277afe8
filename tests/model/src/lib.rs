//! An exhaustive checker of the hold protocol. It drives the product's own transitions
//! (`domain::counter`) and decisions (`domain::settlement`) through every interleaving of a store
//! like DynamoDB, breadth first, and checks the money at every state.
//!
//! # What is explored
//! Writes to one item are atomic. Each may land at any later time, never, or without a reply; all
//! but the reserve may land again and again. Any number of sweepers and queue consumers look and
//! act at any moment, so also long before a hold's time is over. Any process may die at any point:
//! at every state all of them are taken for dead, one fair sweep runs, and the books must balance.
//!
//! # Why the states are few
//! Who sweeps or consumes has no memory that matters beyond what it saw, any number of them may
//! have looked at any moment, and a message once sent may arrive at any time after. So knowledge
//! only grows: the state keeps what could have been seen (`absent`, `fenced`, what was ever
//! estimated) instead of processes and messages, and whatever follows from it for anybody is
//! enabled from then on. That allows no less than single processes and messages do.
//!
//! Where to read on: [`setting`] says who asks for what, [`steps`] what may happen, [`sweep`] the
//! fair sweep, [`properties`] what must hold, [`mutant`] the protocols that must fail.

mod arena;
pub mod mutant;
mod properties;
pub mod search;
pub mod setting;
mod state;
mod steps;
mod sweep;
mod telling;
mod world;

pub use mutant::Mutant;
pub use properties::Property;
pub use search::{Outcome, Violation, search};
pub use setting::Setting;
