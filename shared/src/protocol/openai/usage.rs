//! OpenAI's usage object, mapped onto the token partition and back.

use serde::{Deserialize, Serialize};

use crate::domain::usage::TokenUsage;

/// `prompt_tokens` include cached and audio tokens; `completion_tokens` include reasoning.
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
        let cache_read = details.cached_tokens.unwrap_or(0).min(self.prompt_tokens);
        let audio = details.audio_tokens.unwrap_or(0).min(self.prompt_tokens - cache_read);
        let reasoning = self.completion_tokens_details.unwrap_or_default().reasoning_tokens.unwrap_or(0);
        TokenUsage {
            uncached: self.prompt_tokens - cache_read - audio,
            cache_read,
            audio,
            output: self.completion_tokens,
            reasoning: reasoning.min(self.completion_tokens),
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
}
