//! Prices: what a token costs, in which version of the price list, and what an attempt cost.
#![deny(clippy::float_arithmetic)]

use super::money::{MoneyError, NanoUsd};
use super::usage::TokenUsage;

/// One immutable row of the price list. Rates are whole micro-dollars per million tokens, which is
/// the same number in pico-dollars per token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// Names the row and its version, `openai/gpt-4o@2024-10-02`; every ledger line carries it.
    pub id: String,
    pub rates: Rates,
    pub limits: ModelLimits,
    /// The model spends output tokens that it does not show.
    pub reasoning: bool,
}

/// Micro-dollars per million tokens of each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    pub input: i64,
    pub cache_read: i64,
    pub cache_write_5m: i64,
    pub cache_write_1h: i64,
    pub audio: i64,
    pub image: i64,
    pub output: i64,
}

/// What a model can take and give, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelLimits {
    pub context_window: u64,
    /// 0 for a model that embeds.
    pub max_output_tokens: u64,
    /// The dearest one image can be; none when image input has no known bound.
    pub image_tokens_max: Option<u64>,
}

impl ModelLimits {
    /// The model turns texts into vectors and answers nothing.
    pub fn embeds(&self) -> bool {
        self.max_output_tokens == 0
    }
}

impl Price {
    /// See [`Rates::cost`].
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when the cost does not fit 64 bits of nano-dollars.
    pub fn cost(&self, usage: &TokenUsage) -> Result<NanoUsd, MoneyError> {
        self.rates.cost(usage)
    }
}

impl Rates {
    /// What `usage` costs: the sum over all classes in pico-dollars, rounded up to nano-dollars
    /// once.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when the cost does not fit 64 bits of nano-dollars.
    pub fn cost(&self, usage: &TokenUsage) -> Result<NanoUsd, MoneyError> {
        let classes = [
            (usage.uncached, self.input),
            (usage.cache_read, self.cache_read),
            (usage.cache_write_5m, self.cache_write_5m),
            (usage.cache_write_1h, self.cache_write_1h),
            (usage.audio, self.audio),
            (usage.image, self.image),
            (usage.output, self.output),
        ];
        let mut pico: u128 = 0;
        for (tokens, rate) in classes {
            let rate = u128::try_from(rate).map_err(|_| MoneyError::Overflow)?;
            let part = u128::from(tokens).checked_mul(rate).ok_or(MoneyError::Overflow)?;
            pico = pico.checked_add(part).ok_or(MoneyError::Overflow)?;
        }
        i64::try_from(pico.div_ceil(1000)).map(NanoUsd::from_nano).map_err(|_| MoneyError::Overflow)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn price(input: i64, output: i64) -> Price {
        let rates = Rates { input, output, cache_read: input / 2, ..Rates::default() };
        let limits =
            ModelLimits { context_window: 128_000, max_output_tokens: 16_384, image_tokens_max: None };
        Price { id: "test@1".to_owned(), rates, limits, reasoning: false }
    }

    fn usage(uncached: u64, output: u64) -> TokenUsage {
        TokenUsage { uncached, output, ..TokenUsage::default() }
    }

    #[test]
    fn a_cost_is_rounded_up_once() {
        // 1 token at $0.0375 per million is 37.5 nano-dollars.
        assert_eq!(price(37_500, 0).cost(&usage(1, 0)), Ok(NanoUsd::from_nano(38)));
        assert_eq!(price(2_500_000, 10_000_000).cost(&usage(1000, 500)), Ok(NanoUsd::from_nano(7_500_000)));
    }

    #[test]
    fn a_cost_that_does_not_fit_is_refused() {
        assert_eq!(price(i64::MAX, 0).cost(&usage(u64::MAX, 0)), Err(MoneyError::Overflow));
    }

    proptest! {
        #[test]
        fn cost_is_monotone_and_splitting_an_attempt_costs_at_most_one_nano_more(
            rate in 0..100_000_000_i64, a in 0..10_000_000_u64, b in 0..10_000_000_u64,
        ) {
            let price = price(rate, 0);
            let cost = |tokens| price.cost(&usage(tokens, 0)).expect("small").nano();
            prop_assert!(cost(a) <= cost(a + b));
            prop_assert!(cost(a) + cost(b) - 1 <= cost(a + b));
            prop_assert!(cost(a + b) <= cost(a) + cost(b));
        }
    }
}
