//! The use cases, over ports. Only here things have an order.
//!
//! The page to read first is [`serve`]: one request from key to settlement.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use near::SemanticTier;

use crate::config::Config;
use crate::domain::key::Pepper;
use crate::domain::price_book::PriceBook;
use crate::ports::{
    AnswerCache, Clock, CountTokens, Counters, EmbedText, FindKey, FindPolicy, Idempotency, NoteRefusal,
    Observe, Randomness, SettleQueue, Upstream, WriteLedger,
};

pub mod administer;
mod admit;
pub mod alert;
pub mod alerts;
pub mod anomaly;
pub mod arrival;
mod attempt;
pub mod audit;
pub mod authenticate;
mod best_effort;
pub mod body;
pub mod breakers;
pub mod budgets;
mod bypass;
pub mod change;
mod charge;
pub mod count;
pub mod embed;
mod enter;
mod entry;
pub mod error;
mod fields;
pub mod idempotent;
mod keep;
pub mod listing;
mod lookup;
pub mod meter;
pub mod mint;
mod near;
pub mod observation;
pub mod overview;
mod play;
mod policy_fields;
mod question;
pub mod random;
pub mod receipt;
pub mod references;
mod refusal;
mod release;
mod reply;
pub mod report;
pub mod reserve;
pub mod rollups;
pub mod route;
mod run;
mod scope;
mod seat;
pub mod semantic;
pub mod serve;
pub mod settle;
pub mod sign_in;
pub mod spender;
pub mod sweep;
pub mod tenants;
pub mod told;
pub mod unavailable;
mod warm;
pub mod warm_keys;
pub mod warm_marks;
pub mod warm_policies;

/// Everything a request needs, built once at cold start.
pub struct App {
    pub config: Config,
    pub prices: PriceBook,
    pub pepper: Pepper,
    pub tuning: Tuning,
    pub clock: Arc<dyn Clock>,
    pub randomness: Arc<dyn Randomness>,
    pub keys: Arc<dyn FindKey>,
    pub policies: Arc<dyn FindPolicy>,
    pub counters: Arc<dyn Counters>,
    pub refusals: Arc<dyn NoteRefusal>,
    pub ledger: Arc<dyn WriteLedger>,
    pub answers: Arc<dyn AnswerCache>,
    /// What makes kept answers stale.
    pub marks: Arc<warm_marks::WarmMarks>,
    /// None where nothing searches near questions.
    pub semantic: Option<SemanticTier>,
    pub idempotency: Arc<dyn Idempotency>,
    pub breakers: breakers::Breakers,
    pub settle_queue: Arc<dyn SettleQueue>,
    pub upstream: Arc<dyn Upstream>,
    pub embedder: Arc<dyn EmbedText>,
    pub counter: Arc<dyn CountTokens>,
    pub observer: Arc<dyn Observe>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("config", &self.config).finish_non_exhaustive()
    }
}

impl App {
    /// Refuses what the configuration and the price list promise together and cannot keep.
    ///
    /// # Errors
    /// Names the field.
    pub fn check(&self) -> Result<(), String> {
        question::check(self)
    }
}

/// Times that no operator needs to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// The longest silence of a provider between two chunks.
    pub idle: Duration,
    /// How often a silent stream tells the caller that it lives.
    pub ping: Duration,
    /// How long a settlement may hold up the last frame before it goes to the queue.
    pub settle: Duration,
    /// What is left of the function's time when the provider is cut off, for the honest end.
    pub closing: Duration,
    /// The first backoff before a retry; the wait is random below it.
    pub retry: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Tuning {
            idle: Duration::from_secs(25),
            ping: Duration::from_secs(10),
            settle: Duration::from_millis(300),
            closing: Duration::from_secs(3),
            retry: Duration::from_millis(200),
        }
    }
}

/// Refuses a configuration that promises what this version does not keep.
///
/// # Errors
/// Names the section.
pub fn supported(config: &Config) -> Result<(), String> {
    match config.tenants.is_empty() {
        true => Ok(()),
        false => {
            Err("$.tenants: tenant policies are not enforced by this version, so they are refused".to_owned())
        }
    }
}
