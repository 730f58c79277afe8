//! The `cache` section: which answers are served again, to whom and for how long.

use std::collections::BTreeMap;

use super::decimal::MILLIONTHS;
use super::embedder::{self, ProviderEmbedder};
use super::model_name::ModelName;
use super::names::named_enum;
use super::node::{Node, child};
use super::providers::{ProviderConfig, check_exists};
use super::section::Section;
use super::vector_store::{self, VectorServer};

pub(super) const KEYS: &[&str] = &[
    "provider",
    "store",
    "embedder",
    "semantic_threshold",
    "ttl_hours",
    "version_key",
    "semantic",
    "scope",
    "max_temperature",
    "lookup_budget_ms",
    "profile",
    "verify_share",
    "routes",
];
pub(super) const ROUTE_KEYS: &[&str] = &["semantic", "profile", "semantic_threshold"];

type Providers = BTreeMap<String, ProviderConfig>;

/// A share of one, in millionths.
const WHOLE_PPM: u32 = 1_000_000;

named_enum! {
    /// Where the vectors of the semantic tier are kept and searched.
    CacheProvider {
        /// The cache table's own vector index.
        DynamoDb => "dynamodb",
        /// An exact scan in the process.
        Memory => "memory",
        /// Redis or Valkey with search.
        Redis => "redis",
        /// PostgreSQL with pgvector.
        PgVector => "pgvector",
        /// A Qdrant server.
        Qdrant => "qdrant",
        /// A Milvus server.
        Milvus => "milvus",
    }
}

named_enum! {
    /// What the semantic tier does with a near match.
    SemanticMode {
        /// Serves it.
        On => "on",
        /// Looks it up and records it, but never serves it.
        Shadow => "shadow",
        /// Looks nothing up.
        Off => "off",
    }
}

named_enum! {
    /// How near a match must be, and by which rules it is refused.
    CacheProfile {
        /// Few wrong answers.
        Safe => "safe",
        /// More hits, and more wrong ones among them.
        HighHit => "high-hit",
    }
}

named_enum! {
    /// Who shares cached answers.
    CacheScope {
        /// Callers with the same key.
        Key => "key",
        /// Everyone of the same tenant.
        Tenant => "tenant",
        /// The same end user only.
        User => "user",
    }
}

/// The exact and the semantic cache.
#[derive(Clone, Debug, PartialEq)]
pub struct Cache {
    /// The store of the semantic tier.
    pub provider: CacheProvider,
    /// The server of that store, where it has one.
    pub store: VectorServer,
    /// A provider's model that embeds questions; none is the embedder in the process.
    pub embedder: Option<ProviderEmbedder>,
    /// Cosine similarity, 0 to 1, from which a near match may be served; none is the profile's.
    pub semantic_threshold: Option<f64>,
    /// Hours an answer may be served again, 1 to 87,600 (ten years); compared on read.
    pub ttl_hours: u32,
    /// Part of every cache key: a new value leaves all earlier answers behind.
    pub version_key: String,
    /// What is done with near matches.
    pub semantic: SemanticMode,
    /// Who shares answers.
    pub scope: CacheScope,
    /// Sampling temperature, 0 to 2, above which answers are not cached.
    pub max_temperature: f64,
    /// Milliseconds a semantic lookup may take, 1 to 60,000; a later answer is a miss.
    pub lookup_budget_ms: u64,
    /// By which rules near matches are judged.
    pub profile: CacheProfile,
    /// Millionths of the near matches that the provider answers all the same, so that the two
    /// answers are compared.
    pub verify_share_ppm: u32,
    /// Models with settings of their own.
    pub routes: BTreeMap<ModelName, CacheRoute>,
}

impl CacheProvider {
    /// Whether it has a server of its own, which `cache.store` tells of.
    pub fn has_server(self) -> bool {
        !matches!(self, CacheProvider::DynamoDb | CacheProvider::Memory)
    }
}

/// What one model has of its own; none is what holds for all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CacheRoute {
    pub semantic: Option<SemanticMode>,
    pub profile: Option<CacheProfile>,
    pub semantic_threshold: Option<f64>,
}

/// What holds for near matches of one model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SemanticRules {
    pub mode: SemanticMode,
    pub profile: CacheProfile,
    /// Replaces the profile's.
    pub threshold: Option<f64>,
}

impl Default for Cache {
    fn default() -> Cache {
        Cache {
            provider: CacheProvider::DynamoDb,
            store: VectorServer::default(),
            embedder: None,
            semantic_threshold: None,
            ttl_hours: 24,
            version_key: "v1".to_owned(),
            semantic: SemanticMode::On,
            scope: CacheScope::Key,
            max_temperature: 1.0,
            lookup_budget_ms: 120,
            profile: CacheProfile::Safe,
            verify_share_ppm: 10_000,
            routes: BTreeMap::new(),
        }
    }
}

impl Cache {
    /// Whether near questions are searched for any model.
    pub fn searches(&self) -> bool {
        let modes = self.routes.values().filter_map(|route| route.semantic);
        modes.chain([self.semantic]).any(|mode| mode != SemanticMode::Off)
    }

    /// What holds for `model`. A route that names a profile has that profile's threshold, unless it
    /// names one as well.
    pub fn semantic_rules(&self, model: &str) -> SemanticRules {
        let own = self.routes.iter().find(|(name, _)| name.as_str() == model).map(|(_, route)| route);
        let own = own.cloned().unwrap_or_default();
        let threshold = match own.profile {
            Some(_) => own.semantic_threshold,
            None => own.semantic_threshold.or(self.semantic_threshold),
        };
        SemanticRules {
            mode: own.semantic.unwrap_or(self.semantic),
            profile: own.profile.unwrap_or(self.profile),
            threshold,
        }
    }

    pub(super) fn read(section: &Section<'_>, providers: &Providers) -> Cache {
        let default = Cache::default();
        let cache = Cache {
            provider: section.choice("provider", default.provider),
            store: VectorServer::read(&section.section("store", vector_store::KEYS)),
            embedder: ProviderEmbedder::read(&section.section("embedder", embedder::KEYS), providers),
            semantic_threshold: section.optional_number("semantic_threshold", 0.0..=1.0),
            ttl_hours: section.number("ttl_hours", 1..=87_600, default.ttl_hours),
            version_key: section.text("version_key", &default.version_key),
            semantic: section.choice("semantic", default.semantic),
            scope: section.choice("scope", default.scope),
            max_temperature: section.number("max_temperature", 0.0..=2.0, default.max_temperature),
            lookup_budget_ms: section.number("lookup_budget_ms", 1..=60_000, default.lookup_budget_ms),
            profile: section.choice("profile", default.profile),
            verify_share_ppm: read_share(section).unwrap_or(default.verify_share_ppm),
            routes: read_routes(section, providers),
        };
        if cache.embedder.is_some() {
            cache.refuse_without_threshold(section);
        }
        cache
    }

    /// The profiles' thresholds are those of the embedder in the process, so whoever has another
    /// says what near is.
    fn refuse_without_threshold(&self, section: &Section<'_>) {
        let why = "is missing: the thresholds of the profiles are made for the embedder in the process";
        if self.semantic_threshold.is_none() {
            section.refuse("semantic_threshold", why);
        }
        for (model, route) in &self.routes {
            if route.profile.is_some() && route.semantic_threshold.is_none() {
                let route = child(&section.at("routes"), model.as_str());
                section.faults().add(&child(&route, "semantic_threshold"), why);
            }
        }
    }
}

fn read_share(section: &Section<'_>) -> Option<u32> {
    let share = u32::try_from(section.decimal("verify_share", MILLIONTHS)?).ok();
    let share = share.filter(|share| *share <= WHOLE_PPM);
    if share.is_none() {
        section.refuse("verify_share", "must be from 0 to 1");
    }
    share
}

fn read_routes(section: &Section<'_>, providers: &Providers) -> BTreeMap<ModelName, CacheRoute> {
    let mut routes = BTreeMap::new();
    for (key, path, node) in section.entries("routes") {
        let route = read_route(&path, node, section);
        match ModelName::qualified(key) {
            Ok(name) => {
                check_exists(name.provider(), providers, &path, section.faults());
                routes.insert(name, route);
            }
            Err(error) => section.faults().add(&path, error.to_string()),
        }
    }
    routes
}

fn read_route(path: &str, node: &Node, cache: &Section<'_>) -> CacheRoute {
    let section = Section::open(Some(node), path, ROUTE_KEYS, cache.faults());
    CacheRoute {
        semantic: section.optional_choice("semantic"),
        profile: section.optional_choice("profile"),
        semantic_threshold: section.optional_number("semantic_threshold", 0.0..=1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    #[test]
    fn a_route_has_its_own_settings_before_those_of_all() {
        let text = r#"{"cache": {"semantic_threshold": 0.9, "routes": {
            "openai/a": {"semantic": "off"}, "openai/b": {"profile": "high-hit"},
            "openai/c": {"semantic_threshold": 0.8}}}}"#;
        let cache = Config::parse(text).expect("valid").cache;
        let rules = |model: &str| {
            let rules = cache.semantic_rules(model);
            (rules.mode, rules.profile, rules.threshold)
        };
        let (on, safe) = (SemanticMode::On, CacheProfile::Safe);
        assert_eq!(rules("openai/other"), (on, safe, Some(0.9)));
        assert_eq!(rules("openai/a"), (SemanticMode::Off, safe, Some(0.9)));
        assert_eq!(rules("openai/b"), (on, CacheProfile::HighHit, None));
        assert_eq!(rules("openai/c"), (on, safe, Some(0.8)));
    }
}
