//! The `tenants` section: what each tenant's requests may touch. A tenant without an entry has the
//! default policy, which restricts nothing.

use std::collections::BTreeMap;

use super::model_name::{ModelName, Qualified};
use super::node::Node;
use super::providers::{ProviderConfig, check_exists};
use super::section::{Section, text_of};

pub(super) const KEYS: &[&str] =
    &["providers", "regions", "local_only", "local_fallback", "cache", "audit_required", "retention_days"];

type Providers = BTreeMap<String, ProviderConfig>;

/// The policy of one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantPolicy {
    /// Providers its requests may reach; none is any.
    pub providers: Option<Vec<String>>,
    /// AWS regions its requests may be served in; none is any.
    pub regions: Option<Vec<String>>,
    /// Only providers marked local may serve it.
    pub local_only: bool,
    /// A model of a local provider, tried last.
    pub local_fallback: Option<ModelName>,
    /// Whether its answers may be cached.
    pub cache: bool,
    /// Whether a request is refused when its audit entry cannot be written.
    pub audit_required: bool,
    /// Days its data is kept, 1 to 36,500; none is without limit.
    pub retention_days: Option<u32>,
}

impl Default for TenantPolicy {
    fn default() -> TenantPolicy {
        TenantPolicy {
            providers: None,
            regions: None,
            local_only: false,
            local_fallback: None,
            cache: true,
            audit_required: false,
            retention_days: None,
        }
    }
}

pub(super) fn read_all(root: &Section<'_>, providers: &Providers) -> BTreeMap<String, TenantPolicy> {
    let entries = root.entries("tenants").into_iter();
    entries.map(|(name, path, node)| (name.to_owned(), read(&path, node, root, providers))).collect()
}

fn read(path: &str, node: &Node, root: &Section<'_>, providers: &Providers) -> TenantPolicy {
    let section = Section::open(Some(node), path, KEYS, root.faults());
    let default = TenantPolicy::default();
    TenantPolicy {
        providers: read_list(&section, "providers", |path, name| {
            check_exists(name, providers, path, section.faults());
        }),
        regions: read_list(&section, "regions", |path, name| {
            if !is_region(name) {
                let message = "must be an AWS region such as eu-west-1";
                section.faults().add(path, message);
            }
        }),
        local_only: section.boolean("local_only", default.local_only),
        local_fallback: read_local_fallback(&section, providers),
        cache: section.boolean("cache", default.cache),
        audit_required: section.boolean("audit_required", default.audit_required),
        retention_days: section.optional_number("retention_days", 1..=36_500),
    }
}

fn read_local_fallback(section: &Section<'_>, providers: &Providers) -> Option<ModelName> {
    let Qualified(name) = section.parsed("local_fallback")?;
    let provider = providers.get(name.provider());
    if !provider.is_some_and(|provider| provider.local) {
        let message = format!("the provider {:?} is not marked local", name.provider());
        section.refuse("local_fallback", message);
    }
    Some(name)
}

/// A list that is not empty: an empty list of what is allowed would allow nothing, which is more
/// likely a slip than a wish.
fn read_list(section: &Section<'_>, key: &str, check: impl Fn(&str, &str)) -> Option<Vec<String>> {
    let nodes = section.list(key)?;
    if nodes.is_empty() {
        section.refuse(key, "must not be empty; leave it out to allow any");
    }
    let texts = nodes.iter().filter_map(|(path, node)| {
        let text = text_of(node, path, section.faults())?;
        check(path, text);
        Some(text.to_owned())
    });
    Some(texts.collect())
}

fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match parts.split_last() {
        Some((number, words)) => {
            let numbered = (1..=2).contains(&number.len()) && number.parse::<u8>().is_ok();
            numbered && words.len() >= 2 && words.iter().all(word)
        }
        None => false,
    }
}
