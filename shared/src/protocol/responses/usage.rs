//! The usage object of the Responses dialect.

use serde::Serialize;

use crate::domain::usage::TokenUsage;

#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Usage {
    input_tokens: u64,
    input_tokens_details: InputDetails,
    output_tokens: u64,
    output_tokens_details: OutputDetails,
    total_tokens: u64,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct InputDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct OutputDetails {
    reasoning_tokens: u64,
}

impl Usage {
    pub(super) fn of(usage: &TokenUsage) -> Self {
        Usage {
            input_tokens: usage.input(),
            input_tokens_details: InputDetails {
                cached_tokens: usage.cache_read,
                cache_write_tokens: usage.cache_write_5m.saturating_add(usage.cache_write_1h),
            },
            output_tokens: usage.output,
            output_tokens_details: OutputDetails { reasoning_tokens: usage.reasoning },
            total_tokens: usage.total(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_details_are_parts_of_the_totals() {
        let usage = TokenUsage {
            uncached: 30,
            cache_read: 64,
            cache_write_5m: 5,
            cache_write_1h: 1,
            output: 20,
            reasoning: 12,
            ..TokenUsage::default()
        };
        let expected = json!({
            "input_tokens": 100, "input_tokens_details": { "cached_tokens": 64, "cache_write_tokens": 6 },
            "output_tokens": 20, "output_tokens_details": { "reasoning_tokens": 12 }, "total_tokens": 120,
        });
        assert_eq!(json!(Usage::of(&usage)), expected);
    }
}
