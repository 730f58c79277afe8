//! The `gateway` section: the endpoint callers reach.

use super::base_url::BaseUrl;
use super::section::{Section, text_of};

pub(super) const KEYS: &[&str] = &["edge", "timeout_ms", "stream_enabled", "cors_origins"];

/// The endpoint and its deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// An edge-optimised endpoint instead of a regional one.
    pub edge: bool,
    /// Milliseconds until the first token of an answer must have come, 1 to 900,000;
    /// `routing.timeouts` overrides it for single models.
    pub timeout_ms: u64,
    /// Whether callers may have their answers streamed.
    pub stream_enabled: bool,
    /// Web origins whose pages may call the gateway, `https://app.example.com`; none by default.
    pub cors_origins: Vec<String>,
}

impl Default for Gateway {
    fn default() -> Gateway {
        Gateway { edge: false, timeout_ms: 3_000, stream_enabled: true, cors_origins: Vec::new() }
    }
}

impl Gateway {
    pub(super) fn read(section: &Section<'_>) -> Gateway {
        let default = Gateway::default();
        Gateway {
            edge: section.boolean("edge", default.edge),
            timeout_ms: section.number("timeout_ms", 1..=900_000, default.timeout_ms),
            stream_enabled: section.boolean("stream_enabled", default.stream_enabled),
            cors_origins: origins(section),
        }
    }
}

fn origins(section: &Section<'_>) -> Vec<String> {
    let mut origins: Vec<String> = Vec::new();
    for (path, node) in section.list("cors_origins").unwrap_or_default() {
        let Some(text) = text_of(node, &path, section.faults()) else {
            continue;
        };
        match is_origin(text) {
            true => origins.push(text.to_owned()),
            false => section.faults().add(&path, "must be an origin such as https://app.example.com"),
        }
    }
    origins
}

/// A scheme and a host, as browsers write them: nothing behind the host but a port.
fn is_origin(text: &str) -> bool {
    let is_bare = text.split_once("://").is_some_and(|(_, host)| !host.contains('/'));
    is_bare && text.parse::<BaseUrl>().is_ok_and(|url| url.as_str() == text)
}
