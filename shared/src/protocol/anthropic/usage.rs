//! Anthropic's usage object, mapped onto the token partition and back.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::usage::TokenUsage;

/// As far as a stream has told. `input_tokens` include neither what was read from the cache nor
/// what was written to it; `output_tokens` include thinking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Usage {
    input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    output_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_5m_input_tokens: Option<u64>,
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
}

impl Usage {
    /// Takes in a later report. Counts are cumulative, so the larger one stands: some servers
    /// report the input at the start only, others at the end only and a zero at the start.
    pub(super) fn update(&mut self, later: &Usage) {
        let split = |usage: &Usage| usage.cache_creation.unwrap_or_default();
        let (old, new) = (split(self), split(later));
        let details = |usage: &Usage| usage.output_tokens_details.unwrap_or_default().thinking_tokens;
        *self = Usage {
            input_tokens: self.input_tokens.max(later.input_tokens),
            cache_read_input_tokens: self.cache_read_input_tokens.max(later.cache_read_input_tokens),
            cache_creation_input_tokens: self
                .cache_creation_input_tokens
                .max(later.cache_creation_input_tokens),
            cache_creation: Some(CacheCreation {
                ephemeral_5m_input_tokens: old.ephemeral_5m_input_tokens.max(new.ephemeral_5m_input_tokens),
                ephemeral_1h_input_tokens: old.ephemeral_1h_input_tokens.max(new.ephemeral_1h_input_tokens),
            }),
            output_tokens: self.output_tokens.max(later.output_tokens),
            output_tokens_details: Some(OutputDetails { thinking_tokens: details(self).max(details(later)) }),
        };
    }

    /// What was written without saying for how long was written for five minutes, the default.
    pub(super) fn partition(&self) -> TokenUsage {
        let split = self.cache_creation.unwrap_or_default();
        let hour = split.ephemeral_1h_input_tokens.unwrap_or(0);
        let minutes = split.ephemeral_5m_input_tokens.unwrap_or(0);
        let unsaid = self.cache_creation_input_tokens.unwrap_or(0).saturating_sub(hour);
        let output = self.output_tokens.unwrap_or(0);
        let thinking = self.output_tokens_details.unwrap_or_default().thinking_tokens.unwrap_or(0);
        TokenUsage {
            uncached: self.input_tokens.unwrap_or(0),
            cache_read: self.cache_read_input_tokens.unwrap_or(0),
            cache_write_5m: minutes.max(unsaid),
            cache_write_1h: hour,
            output,
            reasoning: thinking.min(output),
            ..TokenUsage::default()
        }
    }
}

/// The object as callers read it.
pub(super) fn write(usage: &TokenUsage) -> Value {
    let beside_cache = usage.uncached.saturating_add(usage.audio).saturating_add(usage.image);
    json!({
        "input_tokens": beside_cache,
        "cache_creation_input_tokens": usage.cache_write_5m.saturating_add(usage.cache_write_1h),
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.output,
        "output_tokens_details": { "thinking_tokens": usage.reasoning },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(wire: &Value) -> Usage {
        serde_json::from_value(wire.clone()).expect("usage")
    }

    #[test]
    fn every_token_is_counted_once() {
        let wire = json!({
            "input_tokens": 10, "cache_read_input_tokens": 200, "cache_creation_input_tokens": 30,
            "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
            "output_tokens": 50, "output_tokens_details": {"thinking_tokens": 40},
        });
        let usage = read(&wire).partition();
        assert_eq!((usage.uncached, usage.cache_read), (10, 200));
        assert_eq!((usage.cache_write_5m, usage.cache_write_1h), (20, 10));
        assert_eq!((usage.output, usage.reasoning, usage.input()), (50, 40, 240));
        assert_eq!(write(&usage), wire);
    }

    #[test]
    fn writes_without_a_split_are_for_five_minutes() {
        let usage = read(&json!({"input_tokens": 1, "cache_creation_input_tokens": 30})).partition();
        assert_eq!((usage.cache_write_5m, usage.cache_write_1h), (30, 0));
    }

    #[test]
    fn later_reports_add_to_what_the_first_one_said() {
        let mut usage = read(&json!({
            "input_tokens": 10, "output_tokens": 1, "cache_creation_input_tokens": 7,
            "cache_creation": {"ephemeral_1h_input_tokens": 7},
        }));
        usage.update(&read(&json!({"output_tokens": 50, "input_tokens": null})));
        usage.update(&read(&json!({"output_tokens": 60, "input_tokens": 0, "cache_read_input_tokens": 5})));
        let usage = usage.partition();
        assert_eq!((usage.uncached, usage.cache_read, usage.output), (10, 5, 60));
        assert_eq!((usage.cache_write_5m, usage.cache_write_1h), (0, 7));
    }
}
