//! Bedrock's usage object, mapped onto the token partition.

use serde::Deserialize;

use crate::domain::usage::TokenUsage;
use crate::protocol::canonical::CacheTtl;

/// `inputTokens` exclude what was read from the cache or written to it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Usage {
    input_tokens: u64,
    output_tokens: u64,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_write_input_tokens: Option<u64>,
    #[serde(default)]
    cache_details: Option<Vec<CacheDetail>>,
}

/// Tokens written to the cache, by how long they are kept.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CacheDetail {
    ttl: String,
    input_tokens: u64,
}

impl Usage {
    /// What was written for an hour is told in the details only; the rest is kept five minutes.
    pub(super) fn partition(&self) -> TokenUsage {
        let details = self.cache_details.as_deref().unwrap_or_default();
        let hour = details.iter().filter(|detail| detail.ttl == CacheTtl::OneHour.as_str());
        let cache_write_1h = total(hour);
        let written = self.cache_write_input_tokens.unwrap_or(0).max(total(details.iter()));
        TokenUsage {
            uncached: self.input_tokens,
            cache_read: self.cache_read_input_tokens.unwrap_or(0),
            cache_write_5m: written - cache_write_1h,
            cache_write_1h,
            output: self.output_tokens,
            ..TokenUsage::default()
        }
    }
}

fn total<'a>(details: impl Iterator<Item = &'a CacheDetail>) -> u64 {
    details.fold(0, |sum, detail| sum.saturating_add(detail.input_tokens))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(wire: &str) -> TokenUsage {
        serde_json::from_str::<Usage>(wire).expect("usage").partition()
    }

    #[test]
    fn cached_tokens_are_counted_beside_the_input() {
        let usage = partition(
            r#"{"inputTokens":10,"outputTokens":5,"totalTokens":1115,"cacheReadInputTokens":100,"cacheWriteInputTokens":1000,
                "cacheDetails":[{"ttl":"1h","inputTokens":700},{"ttl":"5m","inputTokens":300}]}"#,
        );
        assert_eq!((usage.uncached, usage.cache_read), (10, 100));
        assert_eq!((usage.cache_write_1h, usage.cache_write_5m), (700, 300));
        assert_eq!((usage.input(), usage.output, usage.total()), (1110, 5, 1115));
    }

    #[test]
    fn writes_without_details_are_kept_five_minutes() {
        let usage =
            partition(r#"{"inputTokens":1,"outputTokens":1,"cacheWriteInputTokens":40,"cacheDetails":[]}"#);
        assert_eq!((usage.cache_write_1h, usage.cache_write_5m), (0, 40));
        assert_eq!(partition(r#"{"inputTokens":1,"outputTokens":1}"#).input(), 1);
    }

    #[test]
    fn details_that_contradict_the_sum_lose_no_token() {
        let wire = r#"{"inputTokens":0,"outputTokens":0,"cacheWriteInputTokens":5,"cacheDetails":[{"ttl":"1h","inputTokens":9}]}"#;
        assert_eq!((partition(wire).cache_write_1h, partition(wire).cache_write_5m), (9, 0));
    }
}
