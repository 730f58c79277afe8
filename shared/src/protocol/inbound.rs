//! A request as its dialect read it.

use serde_json::{Map, Value};

use super::canonical::ChatRequest;

/// What came in: the canonical request, and what only the reply needs to know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inbound {
    /// As the caller wrote it; resolved to a route later.
    pub model: Option<String>,
    pub stream: Option<bool>,
    pub include_usage: bool,
    pub request: ChatRequest,
    /// The session it belongs to, where its dialect has a field for that.
    pub session: Option<String>,
    /// Members of the request that the reply repeats, by their names in the dialect.
    pub echo: Map<String, Value>,
    /// A later request may refer to items of the answer instead of sending them.
    pub may_refer: bool,
}
