//! Every field of a chat-completions request: passed through, priced, or refused.

/// Fields that change what the provider does but not what a token costs; their bytes are in the
/// hold all the same.
pub const NEUTRAL: &[&str] = &[
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "metadata",
    "prompt_cache_key",
    "safety_identifier",
    "store",
    "top_logprobs",
    "verbosity",
];

/// Neutral fields that do not shape the answer and therefore stay out of the cache key.
pub const NOT_IN_CACHE_KEY: &[&str] = &["metadata", "prompt_cache_key", "safety_identifier", "store"];

/// Fields that are billed beyond tokens the hold can bound, each with what to do instead.
pub const REFUSED: &[(&str, &str)] = &[
    ("audio", "audio output has no price here"),
    ("best_of", "use n instead"),
    ("prediction", "rejected prediction tokens are billed beyond the output limit"),
    ("web_search_options", "web search is billed per call and has no price here"),
];

/// Values of `service_tier` that are billed at the standard rate.
pub const STANDARD_TIERS: &[&str] = &["default", "auto"];
