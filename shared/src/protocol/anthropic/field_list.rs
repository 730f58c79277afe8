//! Every field of a Messages request that is not canonical: passed through, priced, or refused.

/// Fields that change what the provider does but not what a token costs; their bytes are in the
/// hold all the same. The edge puts the header `anthropic-beta` among them, as an array of names.
pub const NEUTRAL: &[&str] =
    &["anthropic-beta", "cache_control", "context_management", "inference_geo", "service_tier", "thinking"];

/// Neutral fields that do not shape the answer and therefore stay out of the cache key.
pub const NOT_IN_CACHE_KEY: &[&str] = &["cache_control", "inference_geo", "service_tier"];

/// Fields whose cost the hold cannot bound, each with what to do instead.
pub(super) const REFUSED: &[(&str, &str)] = &[
    ("compaction", "its tokens are billed beyond the output limit; summarise the conversation yourself"),
    ("container", "what runs in it has no price here; run tools yourself"),
    ("fallbacks", "another model has another price; fallbacks are routing.fallbacks of the gateway"),
    ("mcp_servers", "what they return is billed without a bound; call them yourself and send tool_result"),
    ("thread", "a conversation that the provider keeps has no bounded price; send all its messages"),
];

/// Values of `service_tier` that are billed at the standard rate.
pub(super) const STANDARD_TIERS: &[&str] = &["auto", "standard_only"];
/// Regions that are billed at the standard rate.
pub(super) const STANDARD_REGIONS: &[&str] = &["global"];
/// Speeds that are billed at the standard rate.
pub(super) const STANDARD_SPEEDS: &[&str] = &["standard"];
/// Edits of `context_management` begin with this when they only leave things out of the prompt.
/// Compaction is the other kind: it is a further call of the model.
pub(super) const FREE_EDITS: &str = "clear_";

/// Betas that change no price. Any other is unlisted, like a field nobody knows.
pub(super) const BETAS: &[&str] = &[
    "claude-code-20250219",
    "context-management-2025-06-27",
    "dev-full-thinking-2025-05-14",
    "effort-2025-11-24",
    "extended-cache-ttl-2025-04-11",
    "fine-grained-tool-streaming-2025-05-14",
    "interleaved-thinking-2025-05-14",
    "model-context-window-exceeded-2025-08-26",
    "output-128k-2025-02-19",
    "prompt-caching-2024-07-31",
    "structured-outputs-2025-11-13",
    "thinking-display-updates-2026-08-18",
    "thinking-token-count-2026-05-13",
    "token-counting-2024-11-01",
    "token-efficient-tools-2025-02-19",
];
