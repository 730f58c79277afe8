//! The token partition: every token of an attempt counted in exactly one priced class.

use serde::{Deserialize, Serialize};

/// Tokens of one attempt. Input classes are disjoint and add up to [`TokenUsage::input`];
/// `reasoning` is inside `output`. Dialects that count otherwise are mapped onto this: OpenAI's
/// `prompt_tokens` include cached ones, Anthropic's `input_tokens` do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TokenUsage {
    /// Text input charged at the full rate.
    pub uncached: u64,
    pub cache_read: u64,
    pub cache_write_5m: u64,
    pub cache_write_1h: u64,
    pub audio: u64,
    pub image: u64,
    pub output: u64,
    /// Part of `output` that the model spent on reasoning.
    pub reasoning: u64,
}

impl TokenUsage {
    pub const NONE: TokenUsage = TokenUsage {
        uncached: 0,
        cache_read: 0,
        cache_write_5m: 0,
        cache_write_1h: 0,
        audio: 0,
        image: 0,
        output: 0,
        reasoning: 0,
    };

    /// All input tokens.
    pub fn input(&self) -> u64 {
        [self.uncached, self.cache_read, self.cache_write_5m, self.cache_write_1h, self.audio, self.image]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    pub fn total(&self) -> u64 {
        self.input().saturating_add(self.output)
    }
}
