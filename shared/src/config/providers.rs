//! The `providers` section, and the providers known by name without it.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::base_url::BaseUrl;
use super::error::Faults;
use super::names::{named_enum, unknown};
use super::node::Node;
use super::secret_ref::SecretRef;
use super::section::{Section, parsed_from};

pub(super) const KEYS: &[&str] = &["dialect", "base_url", "secret", "local", "region", "models"];

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
    /// The AWS region of a Bedrock provider; none is the gateway's own.
    pub region: Option<String>,
    /// The provider's own names for models that callers know by another.
    pub models: BTreeMap<String, String>,
}

/// Names that callers use, and the ids that the known providers want: provider, name, id. A provider
/// whose base URL was changed is asked by the name as it stands.
const IDS: &[(&str, &str, &str)] = &[
    ("anthropic", "claude-3-5-haiku", "claude-3-5-haiku-20241022"),
    ("anthropic", "claude-3-5-sonnet", "claude-3-5-sonnet-20241022"),
    ("anthropic", "claude-3-7-sonnet", "claude-3-7-sonnet-20250219"),
    ("anthropic", "claude-3-haiku", "claude-3-haiku-20240307"),
    ("meta", "llama-3.1-405b", "meta.llama3-1-405b-instruct-v1:0"),
    ("meta", "llama-3.1-70b", "meta.llama3-1-70b-instruct-v1:0"),
    ("meta", "llama-3.1-8b", "meta.llama3-1-8b-instruct-v1:0"),
    ("meta", "llama-3.3-70b", "meta.llama3-3-70b-instruct-v1:0"),
];

impl ProviderConfig {
    /// The provider's own name for the model that callers call `name`.
    pub fn model_id<'a>(&'a self, name: &'a str) -> &'a str {
        self.models.get(name).map_or(name, String::as_str)
    }
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
        region: None,
        models: known_ids(name),
    })
}

fn known_ids(provider: &str) -> BTreeMap<String, String> {
    let own = IDS.iter().filter(|(owner, ..)| *owner == provider);
    own.map(|(_, name, id)| ((*name).to_owned(), (*id).to_owned())).collect()
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
    let mut models = inherited.as_ref().map(|known| known.models.clone()).unwrap_or_default();
    models.extend(read_models(&section));
    let region = section.parsed("region").map(|Region(name)| name);
    if region.is_some() && dialect != Dialect::Bedrock {
        section.refuse("region", format!("is for the dialect bedrock, not {dialect}"));
    }
    let (known_url, known_secret) = inherited.map_or((None, None), |k| (k.base_url, k.secret));
    let base_url = read_base_url(&section, local).or(known_url);
    if base_url.is_none() && !own_url && dialect != Dialect::Bedrock {
        section.refuse("base_url", format!("is needed for the dialect {dialect}"));
    }
    let secret = match section.has("secret") {
        true => section.parsed("secret"),
        false => known_secret,
    };
    Some(ProviderConfig { name: name.to_owned(), dialect, base_url, secret, local, region, models })
}

fn read_models(section: &Section<'_>) -> BTreeMap<String, String> {
    let mut models = BTreeMap::new();
    for (name, path, node) in section.entries("models") {
        if let Some(ModelId(id)) = parsed_from(node, &path, section.faults()) {
            models.insert(name.to_owned(), id);
        }
    }
    models
}

/// The name of an AWS region.
struct Region(String);

impl FromStr for Region {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Region, &'static str> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        match (4..=32).contains(&text.len()) && text.bytes().all(allowed) {
            true => Ok(Region(text.to_owned())),
            false => Err("must be the name of an AWS region such as eu-west-1"),
        }
    }
}

/// A provider's own name for a model; Bedrock's may be an ARN.
struct ModelId(String);

impl FromStr for ModelId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<ModelId, &'static str> {
        let fits = (1..=2048).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(ModelId(text.to_owned())) } else { Err("must be the provider's own name of a model") }
    }
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
