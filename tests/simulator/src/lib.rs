//! The whole money path, simulated: the `app` code as it is, over stores that lose, delay and
//! repeat what they are told, before providers that fail, in instances that die, on a paused clock.
//!
//! Everything that happens in a world follows from its seed, so a world that fails is run again
//! with `make simulate SEED=n`. The invariants, and where each is checked:
//!
//! | invariant | checked |
//! | --- | --- |
//! | 1 conservation | after every write of a counter or a line: `steps.rs` |
//! | 2 admission | after every reserve: `steps.rs`, under the policies that admins mean: `meant.rs`; when a call reaches its provider: `provider.rs` |
//! | 2a agreement | after every reserve: it names the policy that its counter follows: `steps.rs` |
//! | 2b concurrency | after every reserve: in no scope more requests are open than it allows, over all of its counters: `steps.rs` |
//! | 2c no false refusal | with every refusal: what it says is reached is set and reached, and a store that works is not blamed: `client.rs` |
//! | 3 bound | with every bill: `books.rs` |
//! | 4 exactly once | after every write of a line: `steps.rs`; in the end: `finale.rs` |
//! | 5 no leak | in the end: `finale.rs` |
//! | 6 no free ride | when a call reaches its provider: `provider.rs` |
//! | 7 attempt completeness | in the end, bill by bill: `finale.rs` |
//! | 8 token partition | `shared/tests/golden` and the tests of each dialect; here every bill is a partition |
//! | 9 arithmetic | properties in `shared/src/domain/{money,price,bound}.rs` |
//! | 10 pipeline | the queue here; what is made of the ledger beside it |
//! | 11 isolation | with every piece of an answer that is read: `client.rs` |
//! | 12 honest end | with every frame: `client.rs`; the dialects' last events in `tests/tests/endings.rs` |
//! | A1 session loops | a session is one more scope, see `callers.rs` |

mod admins;
mod books;
mod broken;
mod callers;
mod campaign;
mod client;
mod clock;
mod desk;
mod dice;
mod finale;
mod meant;
mod plan;
mod ports;
mod process;
mod provider;
mod queue;
mod requests;
mod run;
mod script;
mod steps;
mod sweepers;
mod tally;
mod tariff;
mod wire;
mod world;

pub use books::Violation;
pub use broken::Broken;
pub use campaign::{Campaign, campaign};
pub use run::{Options, Outcome, simulate};
pub use tally::Tally;
