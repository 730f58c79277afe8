//! The fields of a Responses request that are not read one by one.

/// Fields that chat completions know under the same name and that cost nothing.
pub(super) const PASSED: &[&str] = &["prompt_cache_key", "safety_identifier"];

/// Fields that refer to something kept from an earlier request, each with what to do instead.
pub(super) const STORED: &[(&str, &str)] = &[
    ("conversation", "send the items of the conversation as input"),
    ("previous_response_id", "send the items of the conversation as input"),
    ("prompt", "send the prompt itself as instructions or input"),
];

/// What `include` may ask for: what carries reasoning is always in the reply.
pub(super) const INCLUDABLE: &[&str] = &["reasoning.encrypted_content", LOGPROBS];
pub(super) const LOGPROBS: &str = "message.output_text.logprobs";

/// How much of the reasoning may be shown.
pub(super) const SUMMARIES: &[&str] = &["auto", "concise", "detailed"];

/// Members of items and of their parts that label what was said and change nothing about it, those
/// that SDKs add to what they parsed among them.
pub(super) const LABELS: &[&str] =
    &["annotations", "id", "logprobs", "parsed", "parsed_arguments", "phase", "status"];

pub(super) const METADATA_PAIRS_MAX: usize = 16;
pub(super) const TOP_LOGPROBS_MAX: u64 = 20;
