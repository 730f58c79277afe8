//! The `gateway` section: the endpoint callers reach.

use super::section::Section;

pub(super) const KEYS: &[&str] = &["edge", "timeout_ms", "stream_enabled"];

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
}

impl Default for Gateway {
    fn default() -> Gateway {
        Gateway { edge: false, timeout_ms: 3_000, stream_enabled: true }
    }
}

impl Gateway {
    pub(super) fn read(section: &Section<'_>) -> Gateway {
        let default = Gateway::default();
        Gateway {
            edge: section.boolean("edge", default.edge),
            timeout_ms: section.number("timeout_ms", 1..=900_000, default.timeout_ms),
            stream_enabled: section.boolean("stream_enabled", default.stream_enabled),
        }
    }
}
