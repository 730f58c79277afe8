//! The `cache.embedder` section: a provider's model that embeds questions, instead of the one in the
//! process.

use std::collections::BTreeMap;

use super::model_name::{ModelName, Qualified};
use super::providers::{ProviderConfig, check_exists};
use super::section::Section;

pub(super) const KEYS: &[&str] = &["provider", "dimensions"];

/// What the index of the cache table is made for, and what the embedder in the process gives.
const DIMENSIONS: u32 = 384;

/// A provider's model that embeds questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderEmbedder {
    pub model: ModelName,
    /// What its circuit breaker is called. A lookup waits for a vector shorter than a caller of
    /// `/v1/embeddings` does, so what is late for it says nothing to them, nor to a chat.
    pub circuit: ModelName,
    /// Components of a vector, 1 to 4,096; asked of the model.
    pub dimensions: u32,
}

impl ProviderEmbedder {
    /// None where no model is named: the embedder in the process, which has one length of vectors.
    pub(super) fn read(
        section: &Section<'_>,
        providers: &BTreeMap<String, ProviderConfig>,
    ) -> Option<ProviderEmbedder> {
        let dimensions = section.number("dimensions", 1..=4_096, DIMENSIONS);
        let Qualified(model) = section.parsed("provider")?;
        check_exists(model.provider(), providers, &section.at("provider"), section.faults());
        // Providers have no colon in their names, so that nobody else's target is called so.
        let circuit = ModelName::qualified(&format!("cache:{model}"));
        let circuit = circuit.map_err(|error| section.refuse("provider", error.to_string())).ok()?;
        Some(ProviderEmbedder { model, circuit, dimensions })
    }

    /// Told apart in every partition: vectors of two models, or of two lengths, cannot be compared.
    pub fn id(&self) -> String {
        format!("{}@{}", self.model, self.dimensions)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn read(cache: &str) -> Result<Option<ProviderEmbedder>, String> {
        let read = Config::parse(&format!(r#"{{"cache": {cache}}}"#));
        read.map(|config| config.cache.embedder).map_err(|faults| faults.to_string())
    }

    #[test]
    fn a_model_is_named_with_its_provider_and_a_threshold() {
        let named =
            r#"{"semantic_threshold": 0.8, "embedder": {"provider": "openai/text-embedding-3-small"}}"#;
        let embedder = read(named).expect("valid").expect("an embedder");
        assert_eq!(embedder.id(), "openai/text-embedding-3-small@384");
        assert_eq!(embedder.circuit.as_str(), "cache:openai/text-embedding-3-small");
        assert_eq!(read(r#"{"embedder": {}}"#), Ok(None));
        for (wrong, path) in [
            (
                r#"{"semantic_threshold": 0.8, "embedder": {"provider": "nowhere/embed"}}"#,
                "cache.embedder.provider",
            ),
            (r#"{"semantic_threshold": 0.8, "embedder": {"provider": "embed"}}"#, "cache.embedder.provider"),
            (r#"{"embedder": {"provider": "openai/e"}}"#, "cache.semantic_threshold"),
            (
                r#"{"semantic_threshold": 0.8, "embedder": {"provider": "openai/e"},
                    "routes": {"openai/a": {"profile": "high-hit"}}}"#,
                r#"cache.routes["openai/a"].semantic_threshold"#,
            ),
            (r#"{"embedder": {"dimensions": 0}}"#, "cache.embedder.dimensions"),
            (r#"{"embedder": {"model": "openai/e"}}"#, "cache.embedder.model"),
        ] {
            let faults = read(wrong).expect_err(wrong);
            assert!(faults.contains(path), "{wrong}: {faults}");
        }
    }
}
