//! OpenAI's usage object, mapped onto the token partition and back.

use serde::{Deserialize, Serialize};

use crate::domain::usage::TokenUsage;

/// `prompt_tokens` include what was read from the cache, what was written to it, and audio. With
/// OpenAI `completion_tokens` include reasoning; xAI and Gemini count it in the total only.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) struct Usage {
    pub prompt_tokens: u64,
    #[serde(default)]
    pub completion_tokens: u64,
    #[serde(default)]
    pub total_tokens: u64,
    #[serde(default)]
    pub prompt_tokens_details: Option<PromptDetails>,
    #[serde(default)]
    pub completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) struct PromptDetails {
    #[serde(default)]
    pub cached_tokens: Option<u64>,
    /// Written to the cache; since GPT-5.6 that has its own price.
    #[serde(default)]
    pub cache_write_tokens: Option<u64>,
    #[serde(default)]
    pub audio_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) struct CompletionDetails {
    #[serde(default)]
    pub reasoning_tokens: Option<u64>,
}

impl Usage {
    pub(super) fn partition(&self) -> TokenUsage {
        let details = self.prompt_tokens_details.unwrap_or_default();
        // Each class takes of what the ones before it have left.
        let mut uncached = self.prompt_tokens;
        let mut take = |tokens: Option<u64>| {
            let taken = tokens.unwrap_or(0).min(uncached);
            uncached -= taken;
            taken
        };
        let cache_read = take(details.cached_tokens);
        let cache_write_5m = take(details.cache_write_tokens);
        let audio = take(details.audio_tokens);
        let hidden =
            self.total_tokens.saturating_sub(self.prompt_tokens).saturating_sub(self.completion_tokens);
        let output = self.completion_tokens.saturating_add(hidden);
        let reasoning = self.completion_tokens_details.unwrap_or_default().reasoning_tokens.unwrap_or(0);
        TokenUsage {
            uncached,
            cache_read,
            cache_write_5m,
            audio,
            output,
            reasoning: reasoning.max(hidden).min(output),
            ..TokenUsage::default()
        }
    }

    pub(super) fn of(usage: &TokenUsage) -> Self {
        Usage {
            prompt_tokens: usage.input(),
            completion_tokens: usage.output,
            total_tokens: usage.total(),
            prompt_tokens_details: Some(PromptDetails {
                cached_tokens: Some(usage.cache_read),
                cache_write_tokens: Some(usage.cache_write_5m.saturating_add(usage.cache_write_1h)),
                audio_tokens: Some(usage.audio),
            }),
            completion_tokens_details: Some(CompletionDetails { reasoning_tokens: Some(usage.reasoning) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_tokens_are_counted_once() {
        let wire = r#"{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,
            "prompt_tokens_details":{"cached_tokens":64,"audio_tokens":6},"completion_tokens_details":{"reasoning_tokens":12}}"#;
        let usage = serde_json::from_str::<Usage>(wire).expect("usage").partition();
        assert_eq!(
            (usage.uncached, usage.cache_read, usage.audio, usage.output, usage.reasoning),
            (30, 64, 6, 20, 12)
        );
        assert_eq!((usage.input(), usage.total()), (100, 120));
    }

    #[test]
    fn contradictory_details_never_make_the_input_negative() {
        let wire = r#"{"prompt_tokens":10,"prompt_tokens_details":{"cached_tokens":64,"audio_tokens":null}}"#;
        let usage = serde_json::from_str::<Usage>(wire).expect("usage").partition();
        assert_eq!((usage.uncached, usage.cache_read), (0, 10));
    }

    #[test]
    fn what_was_written_to_the_cache_is_told_apart() {
        let wire = r#"{"prompt_tokens":3300,"completion_tokens":1,"total_tokens":3301,
            "prompt_tokens_details":{"cached_tokens":64,"cache_write_tokens":3207}}"#;
        let usage = serde_json::from_str::<Usage>(wire).expect("usage").partition();
        assert_eq!((usage.uncached, usage.cache_read, usage.cache_write_5m), (29, 64, 3207));
    }

    #[test]
    fn reasoning_beside_the_completion_is_output_all_the_same() {
        for details in ["null", r#"{"reasoning_tokens":386}"#] {
            let wire = format!(
                r#"{{"prompt_tokens":12,"completion_tokens":1,"total_tokens":399,"completion_tokens_details":{details}}}"#
            );
            let usage = serde_json::from_str::<Usage>(&wire).expect("usage").partition();
            assert_eq!((usage.output, usage.reasoning), (387, 386), "{details}");
        }
    }
}
