//! The `providers` section, and the providers known by name without it.

use std::collections::BTreeMap;

use super::base_url::BaseUrl;
use super::error::Faults;
use super::names::{named_enum, unknown};
use super::node::Node;
use super::secret_ref::SecretRef;
use super::section::Section;

pub(super) const KEYS: &[&str] = &["dialect", "base_url", "secret", "local"];

named_enum! {
    /// The wire format a provider speaks.
    Dialect {
        /// OpenAI chat completions, or any server compatible with them.
        OpenAi => "openai",
        /// Anthropic messages.
        Anthropic => "anthropic",
        /// Amazon Bedrock Converse.
        Bedrock => "bedrock",
    }
}

/// How to reach one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderConfig {
    /// The part of a model's name before the first `/`.
    pub name: String,
    /// The wire format it speaks.
    pub dialect: Dialect,
    /// Present unless the dialect is Bedrock, whose endpoint follows from the region.
    pub base_url: Option<BaseUrl>,
    /// The provider's key; none for a server that wants none, and for Bedrock, which takes the
    /// function's role.
    pub secret: Option<SecretRef>,
    /// May be reached at private and loopback addresses, and at localhost without encryption.
    pub local: bool,
}

/// Providers known by name: dialect, base URL and the environment variable of the key.
const KNOWN: &[(&str, Dialect, &str, &str)] = &[
    ("openai", Dialect::OpenAi, "https://api.openai.com/v1", "OPENAI_API_KEY"),
    ("anthropic", Dialect::Anthropic, "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
    ("google", Dialect::OpenAi, "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
    ("mistral", Dialect::OpenAi, "https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    ("bedrock", Dialect::Bedrock, "", ""),
    ("meta", Dialect::Bedrock, "", ""),
];

/// The names of the providers that need no configuration.
pub fn known_providers() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|(name, ..)| *name)
}

/// The provider known by `name` without configuration.
pub fn known_provider(name: &str) -> Option<ProviderConfig> {
    let (name, dialect, base_url, variable) = KNOWN.iter().find(|(known, ..)| *known == name)?;
    Some(ProviderConfig {
        name: (*name).to_owned(),
        dialect: *dialect,
        base_url: base_url.parse().ok(),
        secret: format!("env:{variable}").parse().ok(),
        local: false,
    })
}

pub(super) fn read_all(root: &Section<'_>) -> BTreeMap<String, ProviderConfig> {
    let entries = root.entries("providers").into_iter();
    let read = entries.filter_map(|(name, path, node)| {
        let provider = read(name, &path, node, root)?;
        Some((name.to_owned(), provider))
    });
    read.collect()
}

/// Notes a fault at `path` unless `name` is a provider, configured or known by name.
pub(super) fn check_exists(
    name: &str,
    configured: &BTreeMap<String, ProviderConfig>,
    path: &str,
    faults: &Faults,
) {
    if configured.contains_key(name) || known_provider(name).is_some() {
        return;
    }
    let known = KNOWN.iter().map(|(known, ..)| *known);
    let names = configured.keys().map(String::as_str).chain(known);
    faults.add(path, unknown("provider", name, names));
}

/// One entry. What it leaves out comes from the known provider of that name; the key does only
/// when the base URL does too, so that a provider's key is never sent to another host unasked.
fn read(name: &str, path: &str, node: &Node, root: &Section<'_>) -> Option<ProviderConfig> {
    let section = Section::open(Some(node), path, KEYS, root.faults());
    if !is_name(name) {
        let message = "a provider's name has 1 to 64 characters of a-z, 0-9, - and _";
        root.faults().add(path, message);
        return None;
    }
    let known = known_provider(name);
    let own_url = section.has("base_url");
    // Llama runs on Bedrock unless a base URL says where else; such a server speaks OpenAI.
    let hosted_elsewhere = name == "meta" && own_url;
    let known_dialect = known.as_ref().map(|known| known.dialect);
    let dialect = known_dialect.filter(|_| !hosted_elsewhere);
    let dialect = section.choice("dialect", dialect.unwrap_or(Dialect::OpenAi));
    let local = section.boolean("local", false);
    let inherited = known.filter(|_| !own_url);
    let (known_url, known_secret) = inherited.map_or((None, None), |k| (k.base_url, k.secret));
    let base_url = read_base_url(&section, local).or(known_url);
    if base_url.is_none() && !own_url && dialect != Dialect::Bedrock {
        section.refuse("base_url", format!("is needed for the dialect {dialect}"));
    }
    let secret = match section.has("secret") {
        true => section.parsed("secret"),
        false => known_secret,
    };
    Some(ProviderConfig { name: name.to_owned(), dialect, base_url, secret, local })
}

fn read_base_url(section: &Section<'_>, local: bool) -> Option<BaseUrl> {
    let url: BaseUrl = section.parsed("base_url")?;
    let judged = if local { url.local() } else { url.public() };
    judged.map_err(|error| section.refuse("base_url", error.to_string())).ok()
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

#[cfg(test)]
#[path = "providers_tests.rs"]
mod tests;
