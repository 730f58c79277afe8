//! The rates of a price row, of its long-context tier and of its batches.
#![deny(clippy::float_arithmetic)]

use super::names::named_enum;
use super::section::Section;

named_enum! {
    /// A class of tokens with a rate, by its key in the price list.
    Dimension {
        /// Fresh input.
        Input => "input",
        /// Input read from the provider's prompt cache.
        CacheRead => "cache_read",
        /// Input written to the prompt cache for five minutes, or for a time that has no choice.
        CacheWrite5m => "cache_write_5m",
        /// Input written to the prompt cache for an hour.
        CacheWrite1h => "cache_write_1h",
        /// Audio input.
        Audio => "audio",
        /// Image input.
        Image => "image",
        /// Output.
        Output => "output",
        /// The part of the output that the model spends on reasoning.
        ReasoningOutput => "reasoning_output",
    }
}

pub(super) const LONG_CONTEXT_KEYS: &[&str] = &[
    "above_tokens",
    "input",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "audio",
    "image",
    "output",
    "reasoning_output",
];

pub(super) const BATCH_KEYS: &[&str] = &[
    "input",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "audio",
    "image",
    "output",
    "reasoning_output",
    "long_context",
];

/// A dollar a token: dearer than any model, and far from the limits of 64 bits.
pub(super) const PRICE_MAX: i64 = 1_000_000_000_000;
/// More tokens than any model takes.
pub(super) const TOKENS_MAX: u64 = 1_000_000_000;

/// Whole micro-dollars per million tokens of each class, which is the same number in pico-dollars
/// per token. Never negative in a list that was read, and 0 only where the row is free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Fresh input. A rate that the file leaves out is this one, apart from those of output.
    pub input: i64,
    /// Input read from the provider's prompt cache.
    pub cache_read: i64,
    /// Input written to the prompt cache for five minutes, or for a time that has no choice.
    pub cache_write_5m: i64,
    /// Input written to the prompt cache for an hour.
    pub cache_write_1h: i64,
    /// Audio input.
    pub audio: i64,
    /// Image input.
    pub image: i64,
    /// Output; 0 for a model that embeds.
    pub output: i64,
    /// The part of the output that the model spends on reasoning; none costs what output costs.
    pub reasoning_output: Option<i64>,
}

/// The rates of a request whose input is long: all of it is priced by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongContext {
    /// More input tokens than these, of all classes together, make a request long.
    pub above_tokens: u64,
    /// Its rates.
    pub rates: Rates,
}

/// The rates of a request that the provider answers within a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchPrice {
    /// Its rates.
    pub rates: Rates,
    /// Those of long ones; the row's own tier where the file has none for batches.
    pub long_context: Option<LongContext>,
}

impl Rates {
    /// The rate of one class, in micro-dollars per million tokens.
    pub fn rate(&self, dimension: Dimension) -> i64 {
        match dimension {
            Dimension::Input => self.input,
            Dimension::CacheRead => self.cache_read,
            Dimension::CacheWrite5m => self.cache_write_5m,
            Dimension::CacheWrite1h => self.cache_write_1h,
            Dimension::Audio => self.audio,
            Dimension::Image => self.image,
            Dimension::Output => self.output,
            Dimension::ReasoningOutput => self.reasoning_rate(),
        }
    }

    /// The rate of reasoning: its own, else that of output.
    pub fn reasoning_rate(&self) -> i64 {
        self.reasoning_output.unwrap_or(self.output)
    }

    /// The rates that `section` states, each under its own key.
    pub(super) fn read(section: &Section<'_>, free: bool, embeds: bool) -> Rates {
        let input = required_rate(section, "input", free);
        let rate = |dimension: Dimension| optional_rate(section, dimension.name(), free).unwrap_or(input);
        for key in ["output", "reasoning_output"].into_iter().filter(|_| embeds) {
            if section.has(key) {
                section.refuse(key, "is not for a model that embeds");
            }
        }
        Rates {
            input,
            cache_read: rate(Dimension::CacheRead),
            cache_write_5m: rate(Dimension::CacheWrite5m),
            cache_write_1h: rate(Dimension::CacheWrite1h),
            audio: rate(Dimension::Audio),
            image: rate(Dimension::Image),
            output: if embeds { 0 } else { required_rate(section, "output", free) },
            reasoning_output: optional_rate(section, "reasoning_output", free).filter(|_| !embeds),
        }
    }
}

impl LongContext {
    /// The tier under `long_context`, if there is one.
    pub(super) fn read(row: &Section<'_>, free: bool, embeds: bool) -> Option<LongContext> {
        let section = row.has("long_context").then(|| row.section("long_context", LONG_CONTEXT_KEYS))?;
        section.require("above_tokens");
        Some(LongContext {
            above_tokens: section.number("above_tokens", 1..=TOKENS_MAX, TOKENS_MAX),
            rates: Rates::read(&section, free, embeds),
        })
    }
}

impl BatchPrice {
    /// What is under `batch`, if there is something. `long_context` is the row's own tier.
    pub(super) fn read(
        row: &Section<'_>,
        long_context: Option<LongContext>,
        free: bool,
        embeds: bool,
    ) -> Option<BatchPrice> {
        let section = row.has("batch").then(|| row.section("batch", BATCH_KEYS))?;
        let rates = Rates::read(&section, free, embeds);
        let own = LongContext::read(&section, free, embeds);
        Some(BatchPrice { rates, long_context: own.or(long_context) })
    }
}

fn required_rate(section: &Section<'_>, key: &str, free: bool) -> i64 {
    section.require(key);
    optional_rate(section, key, free).unwrap_or(0)
}

fn optional_rate(section: &Section<'_>, key: &str, free: bool) -> Option<i64> {
    let rate = section.optional_number(key, 0..=PRICE_MAX)?;
    match (rate, free) {
        (0, false) => section.refuse(key, "is 0, but the row is not marked \"free\": true"),
        (1.., true) => section.refuse(key, "is not 0, but the row is marked free"),
        _ => {}
    }
    Some(rate)
}

#[cfg(test)]
mod tests {
    use super::super::names::Named;
    use super::*;

    #[test]
    fn every_dimension_has_a_key_wherever_rates_are_stated() {
        let names = Dimension::NAMES.iter().map(|(name, _)| *name);
        for name in names {
            for keys in [super::super::price_row::KEYS, LONG_CONTEXT_KEYS, BATCH_KEYS] {
                assert!(keys.contains(&name), "{name}");
            }
        }
    }
}
