//! The `routing` section: which models answer, in which order, and when one is left alone.

use std::collections::BTreeMap;

use super::model_name::{ModelName, Qualified};
use super::providers::{ProviderConfig, check_exists};
use super::section::{Section, number_in, parsed_from};

pub(super) const KEYS: &[&str] = &["primary", "fallbacks", "circuit_breaker", "timeouts"];
pub(super) const BREAKER_KEYS: &[&str] = &["threshold", "reset_timeout_ms"];

type Providers = BTreeMap<String, ProviderConfig>;

/// The chain of models and its circuit breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routing {
    /// Answers requests that name no model.
    pub primary: ModelName,
    /// Tried in this order after the first model failed; the chain names no model twice.
    pub fallbacks: Vec<ModelName>,
    /// When a failing model is left alone.
    pub circuit_breaker: CircuitBreaker,
    /// Milliseconds to the first token, 1 to 900,000, of models that need other than
    /// `gateway.timeout_ms`.
    pub timeouts: BTreeMap<ModelName, u64>,
}

/// When a model is left alone, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitBreaker {
    /// Consecutive failures that open the breaker, 1 to 10,000.
    pub threshold: u32,
    /// Milliseconds from opening to the first probe, 1 to 3,600,000.
    pub reset_timeout_ms: u64,
}

impl Default for CircuitBreaker {
    fn default() -> CircuitBreaker {
        CircuitBreaker { threshold: 5, reset_timeout_ms: 30_000 }
    }
}

impl Default for Routing {
    fn default() -> Routing {
        let primary = "openai/gpt-4o".parse();
        Routing {
            primary: primary.expect("the default model's name is valid"),
            fallbacks: Vec::new(),
            circuit_breaker: CircuitBreaker::default(),
            timeouts: BTreeMap::new(),
        }
    }
}

impl Routing {
    /// The primary and its fallbacks, in order.
    pub fn chain(&self) -> impl Iterator<Item = &ModelName> {
        std::iter::once(&self.primary).chain(&self.fallbacks)
    }

    pub(super) fn read(section: &Section<'_>, providers: &Providers) -> Routing {
        let primary = section.parsed("primary").map(|Qualified(name)| name);
        let primary = primary.unwrap_or_else(|| Routing::default().primary);
        check_exists(primary.provider(), providers, &section.at("primary"), section.faults());
        Routing {
            fallbacks: read_fallbacks(section, &primary, providers),
            primary,
            circuit_breaker: read_breaker(&section.section("circuit_breaker", BREAKER_KEYS)),
            timeouts: read_timeouts(section, providers),
        }
    }
}

fn read_fallbacks(section: &Section<'_>, primary: &ModelName, providers: &Providers) -> Vec<ModelName> {
    let mut chain = vec![primary.clone()];
    for (path, node) in section.list("fallbacks").unwrap_or_default() {
        let Some(Qualified(name)) = parsed_from(node, &path, section.faults()) else {
            continue;
        };
        check_exists(name.provider(), providers, &path, section.faults());
        match chain.contains(&name) {
            true => section.faults().add(&path, format!("{name} is already in the chain")),
            false => chain.push(name),
        }
    }
    chain.split_off(1)
}

fn read_breaker(section: &Section<'_>) -> CircuitBreaker {
    let default = CircuitBreaker::default();
    let reset = section.number("reset_timeout_ms", 1..=3_600_000, default.reset_timeout_ms);
    CircuitBreaker {
        threshold: section.number("threshold", 1..=10_000, default.threshold),
        reset_timeout_ms: reset,
    }
}

fn read_timeouts(section: &Section<'_>, providers: &Providers) -> BTreeMap<ModelName, u64> {
    let mut timeouts = BTreeMap::new();
    for (key, path, node) in section.entries("timeouts") {
        let timeout_ms = number_in(node, &path, 1..=900_000, section.faults());
        match ModelName::qualified(key) {
            Ok(name) => {
                check_exists(name.provider(), providers, &path, section.faults());
                timeouts.extend(timeout_ms.map(|timeout_ms| (name, timeout_ms)));
            }
            Err(error) => section.faults().add(&path, error.to_string()),
        }
    }
    timeouts
}
