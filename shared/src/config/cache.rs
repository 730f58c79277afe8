//! The `cache` section: which answers are served again, to whom and for how long.

use super::names::named_enum;
use super::section::Section;
use super::vector_store::{self, VectorServer};

pub(super) const KEYS: &[&str] = &[
    "provider",
    "store",
    "semantic_threshold",
    "ttl_hours",
    "version_key",
    "semantic",
    "scope",
    "max_temperature",
    "lookup_budget_ms",
];

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
    /// Cosine similarity, 0 to 1, from which a near match may be served.
    pub semantic_threshold: f64,
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
}

impl Default for Cache {
    fn default() -> Cache {
        Cache {
            provider: CacheProvider::DynamoDb,
            store: VectorServer::default(),
            semantic_threshold: 0.92,
            ttl_hours: 24,
            version_key: "v1".to_owned(),
            semantic: SemanticMode::On,
            scope: CacheScope::Key,
            max_temperature: 1.0,
            lookup_budget_ms: 120,
        }
    }
}

impl Cache {
    pub(super) fn read(section: &Section<'_>) -> Cache {
        let default = Cache::default();
        let threshold = section.number("semantic_threshold", 0.0..=1.0, default.semantic_threshold);
        Cache {
            provider: section.choice("provider", default.provider),
            store: VectorServer::read(&section.section("store", vector_store::KEYS)),
            semantic_threshold: threshold,
            ttl_hours: section.number("ttl_hours", 1..=87_600, default.ttl_hours),
            version_key: section.text("version_key", &default.version_key),
            semantic: section.choice("semantic", default.semantic),
            scope: section.choice("scope", default.scope),
            max_temperature: section.number("max_temperature", 0.0..=2.0, default.max_temperature),
            lookup_budget_ms: section.number("lookup_budget_ms", 1..=60_000, default.lookup_budget_ms),
        }
    }
}
