//! The configuration an operator edits, `config/ai-gateway.json` and `config/prices.json`: parsed
//! once at start, all faults reported together, then never changed.
//!
//! Pure but for [`load`], which reads the files. Amounts and shares are integers from here on.

mod address;
mod alerts;
mod base_url;
mod billing;
mod cache;
mod catalogue;
mod decimal;
mod error;
mod gateway;
mod load;
mod model_name;
mod names;
mod node;
mod observability;
mod price_row;
mod prices;
mod providers;
mod rag;
mod rates;
mod routing;
mod secret_ref;
mod section;
mod sinks;
mod tenants;
mod vector_store;

use std::collections::BTreeMap;

pub use address::is_public;
pub use alerts::Alerts;
pub use base_url::{BaseUrl, BaseUrlError, Host};
pub use billing::Billing;
pub use cache::{Cache, CacheProfile, CacheProvider, CacheRoute, CacheScope, SemanticMode, SemanticRules};
pub use catalogue::{Catalogue, Offer, Skipped, StatedBatch, StatedRates, StatedTier};
pub use error::{ConfigError, ConfigErrors};
pub use gateway::Gateway;
pub use load::{LoadError, load, load_prices};
pub use model_name::{ModelName, ModelNameError};
pub use names::Named;
pub use observability::{LogLevel, Metric, Observability};
pub use price_row::PriceRow;
pub use prices::Prices;
pub use providers::{Dialect, ProviderConfig, known_provider, known_providers};
pub use rag::{Rag, RagProvider};
pub use rates::{BatchPrice, Dimension, LongContext, Rates};
pub use routing::{CircuitBreaker, Routing};
pub use secret_ref::{SecretRef, SecretRefError};
pub use sinks::{Given, MinSeverity, PagerDuty, QuietHours, Slack, Sns, Takes, Webhook};
pub use tenants::TenantPolicy;
pub use vector_store::{Hnsw, StoreName, StoreScheme, StoreUrl, StoreUrlError, VectorServer};

use error::Faults;
use node::Node;
use section::Section;

/// `$schema` tells editors where the JSON Schema is; the gateway does not read it.
const KEYS: &[&str] = &[
    "$schema",
    "gateway",
    "cache",
    "routing",
    "billing",
    "observability",
    "providers",
    "rag",
    "tenants",
    "alerts",
];

/// The whole of `ai-gateway.json`. Every key is optional; the default is the empty document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The endpoint callers reach.
    pub gateway: Gateway,
    /// Which answers are served again.
    pub cache: Cache,
    /// Which models answer, in which order.
    pub routing: Routing,
    /// Caps and thresholds.
    pub billing: Billing,
    /// Metrics, traces and logs.
    pub observability: Observability,
    /// Providers the operator configured, by name; [`Config::provider`] adds the known ones.
    pub providers: BTreeMap<String, ProviderConfig>,
    /// Document search.
    pub rag: Rag,
    /// Policies by tenant.
    pub tenants: BTreeMap<String, TenantPolicy>,
    /// What is watched and who is told.
    pub alerts: Alerts,
}

impl Config {
    /// Reads a configuration document.
    ///
    /// # Errors
    /// Every fault found, each with its path: syntax, duplicate and unknown keys, wrong types,
    /// values out of range, names of providers that do not exist.
    pub fn parse(text: &str) -> Result<Config, ConfigErrors> {
        let faults = Faults::default();
        let document = Node::parse(text, &faults);
        let root = Section::open(document.as_ref(), "$", KEYS, &faults);
        let config = Config::read(&root);
        faults.or(config)
    }

    /// The provider called `name`: the configured one, else the one known by that name.
    pub fn provider(&self, name: &str) -> Option<ProviderConfig> {
        let configured = self.providers.get(name).cloned();
        configured.or_else(|| known_provider(name))
    }

    fn read(root: &Section<'_>) -> Config {
        let providers = providers::read_all(root);
        Config {
            gateway: Gateway::read(&root.section("gateway", gateway::KEYS)),
            cache: Cache::read(&root.section("cache", cache::KEYS), &providers),
            routing: Routing::read(&root.section("routing", routing::KEYS), &providers),
            billing: Billing::read(&root.section("billing", billing::KEYS)),
            observability: Observability::read(&root.section("observability", observability::KEYS)),
            rag: Rag::read(&root.section("rag", rag::KEYS)),
            tenants: tenants::read_all(root, &providers),
            alerts: Alerts::read(&root.section("alerts", alerts::KEYS)),
            providers,
        }
    }
}

#[cfg(test)]
mod bounds_tests;
#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;
