//! Prices: what a token costs, in which version of the price list, and what an attempt cost.
#![deny(clippy::float_arithmetic)]

use super::money::{MoneyError, NanoUsd};
use super::usage::TokenUsage;
pub use crate::config::{BatchPrice, LongContext, Rates};

/// One immutable row of the price list. Rates are whole micro-dollars per million tokens, which is
/// the same number in pico-dollars per token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// Names the row and its version, `openai/gpt-4o@2024-10-02`; every ledger line carries it.
    pub id: String,
    pub rates: Rates,
    /// The rates of a request with a long input.
    pub long_context: Option<LongContext>,
    /// The rates of a request in a batch.
    pub batch: Option<BatchPrice>,
    pub limits: ModelLimits,
    /// The model spends output tokens that it does not show.
    pub reasoning: bool,
    /// Any input can cost the rates of cache writes, whether or not the caller marked cache points.
    pub writes_cache_unasked: bool,
}

/// What a model can take and give, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelLimits {
    pub context_window: u64,
    /// 0 for a model that embeds.
    pub max_output_tokens: u64,
    /// The dearest one image can be; none when image input has no known bound.
    pub image_tokens_max: Option<u64>,
}

/// How the provider was asked for an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Service {
    /// For an answer at once.
    #[default]
    Direct,
    /// In a batch, to be answered within hours.
    Batch,
}

impl ModelLimits {
    /// The model turns texts into vectors and answers nothing.
    pub fn embeds(&self) -> bool {
        self.max_output_tokens == 0
    }
}

impl Price {
    /// What `usage` cost in a direct attempt. The whole of it is priced by the long-context rates
    /// once its input passes their threshold.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when the cost does not fit 64 bits of nano-dollars.
    pub fn cost(&self, usage: &TokenUsage) -> Result<NanoUsd, MoneyError> {
        self.cost_as(Service::Direct, usage)
    }

    /// What `usage` cost in an attempt of this kind. A batch at a provider without batch rates costs
    /// what a direct attempt costs.
    ///
    /// # Errors
    /// As [`Price::cost`].
    pub fn cost_as(&self, service: Service, usage: &TokenUsage) -> Result<NanoUsd, MoneyError> {
        let (rates, tier) = match (service, &self.batch) {
            (Service::Batch, Some(batch)) => (batch.rates, batch.long_context),
            (Service::Direct, _) | (Service::Batch, None) => (self.rates, self.long_context),
        };
        let long = tier.filter(|tier| usage.input() > tier.above_tokens);
        long.map_or(rates, |tier| tier.rates).cost(usage)
    }

    /// The dearest rate of each class that a direct attempt with at most `input` input tokens can
    /// be charged.
    pub(super) fn dearest_rates(&self, input: u64) -> Rates {
        match self.long_context {
            Some(tier) if input > tier.above_tokens => self.rates.or_dearer(&tier.rates),
            _ => self.rates,
        }
    }
}

impl Rates {
    /// What `usage` costs: the sum over all classes in pico-dollars, rounded up to nano-dollars
    /// once.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when the cost does not fit 64 bits of nano-dollars.
    pub fn cost(&self, usage: &TokenUsage) -> Result<NanoUsd, MoneyError> {
        let reasoning = usage.reasoning.min(usage.output);
        let classes = [
            (usage.uncached, self.input),
            (usage.cache_read, self.cache_read),
            (usage.cache_write_5m, self.cache_write_5m),
            (usage.cache_write_1h, self.cache_write_1h),
            (usage.audio, self.audio),
            (usage.image, self.image),
            (usage.output - reasoning, self.output),
            (reasoning, self.reasoning_rate()),
        ];
        let mut pico: u128 = 0;
        for (tokens, rate) in classes {
            let rate = u128::try_from(rate).map_err(|_| MoneyError::Overflow)?;
            let part = u128::from(tokens).checked_mul(rate).ok_or(MoneyError::Overflow)?;
            pico = pico.checked_add(part).ok_or(MoneyError::Overflow)?;
        }
        i64::try_from(pico.div_ceil(1000)).map(NanoUsd::from_nano).map_err(|_| MoneyError::Overflow)
    }

    /// Of each class the dearer rate.
    fn or_dearer(&self, other: &Rates) -> Rates {
        Rates {
            input: self.input.max(other.input),
            cache_read: self.cache_read.max(other.cache_read),
            cache_write_5m: self.cache_write_5m.max(other.cache_write_5m),
            cache_write_1h: self.cache_write_1h.max(other.cache_write_1h),
            audio: self.audio.max(other.audio),
            image: self.image.max(other.image),
            output: self.output.max(other.output),
            reasoning_output: Some(self.reasoning_rate().max(other.reasoning_rate())),
        }
    }
}

#[cfg(test)]
mod tests;
