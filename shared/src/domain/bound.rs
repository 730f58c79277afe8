//! The hold: a true upper bound of what an attempt can cost before it is dispatched.
#![deny(clippy::float_arithmetic)]

use super::money::{MoneyError, NanoUsd};
use super::price::Price;
use super::usage::TokenUsage;

/// What is known of a request before any provider has seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestSize {
    /// UTF-8 bytes of everything the model reads, plus the fixed overhead of each message and
    /// tool. A byte-level tokenizer yields at most one token a byte, so this bounds the tokens.
    pub input_bytes: u64,
    pub images: u64,
    /// Choices asked for (`n`).
    pub choices: u64,
    /// The caller's own output limit in tokens.
    pub max_output_tokens: Option<u64>,
    /// The caller marked cache points, so cache-write rates can apply.
    pub cache_points: bool,
}

/// A bound on one attempt: the money to hold and the output limit to send upstream, without which
/// the money would not be a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    pub amount: NanoUsd,
    pub max_output_tokens: u64,
    /// What a token rate limit is charged: the same bound in tokens.
    pub tokens: u64,
}

/// Why no bound exists; each means the attempt is refused before dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoundError {
    /// The dearest outcome would pass the hard limit of one request.
    OverLimit {
        estimate: NanoUsd,
        limit: NanoUsd,
    },
    /// Images were sent to a model whose image tokens have no known bound.
    ImagesUnbounded,
    Overflow,
}

impl From<MoneyError> for BoundError {
    fn from(_: MoneyError) -> Self {
        BoundError::Overflow
    }
}

/// Bounds one attempt at the price of the model that would serve it: input bytes at the dearest
/// input rate that can apply, plus `n` times the output limit. Where the caller gave no output
/// limit, it is what the model and `hard_limit` allow.
///
/// # Errors
/// See [`BoundError`].
pub fn bound(price: &Price, size: &RequestSize, hard_limit: Option<NanoUsd>) -> Result<Bound, BoundError> {
    let model_max = price.limits.max_output_tokens;
    let asked = size.max_output_tokens.map(|tokens| tokens.min(model_max));
    let amount_at = |output: u64| at_most(price, size, output);
    let Some(limit) = hard_limit else {
        let output = asked.unwrap_or(model_max);
        return finish(size, output, amount_at(output)?);
    };
    let output = match asked {
        Some(output) => output,
        None => largest_output_within(limit, model_max, &amount_at)?,
    };
    match amount_at(output)? {
        estimate if estimate > limit => Err(BoundError::OverLimit { estimate, limit }),
        amount => finish(size, output, amount),
    }
}

/// Binary search over a monotone cost: at least one token, at most what the model can give.
fn largest_output_within(
    limit: NanoUsd,
    model_max: u64,
    amount_at: &impl Fn(u64) -> Result<NanoUsd, BoundError>,
) -> Result<u64, BoundError> {
    let (mut fits, mut too_many) = (1, model_max.saturating_add(1));
    while too_many - fits > 1 {
        let middle = fits + (too_many - fits) / 2;
        if amount_at(middle)? <= limit { fits = middle } else { too_many = middle }
    }
    Ok(fits)
}

fn finish(size: &RequestSize, output: u64, amount: NanoUsd) -> Result<Bound, BoundError> {
    let outputs = output.checked_mul(size.choices).ok_or(BoundError::Overflow)?;
    Ok(Bound { amount, max_output_tokens: output, tokens: size.input_bytes.saturating_add(outputs) })
}

/// The most that a request of this size can cost with `output` tokens for each choice.
///
/// # Errors
/// See [`BoundError`].
pub fn at_most(price: &Price, size: &RequestSize, output: u64) -> Result<NanoUsd, BoundError> {
    let mut rates = price.rates;
    rates.input = match size.cache_points {
        true => rates.input.max(rates.cache_read).max(rates.cache_write_5m).max(rates.cache_write_1h),
        false => rates.input.max(rates.cache_read),
    };
    let per_image = match (size.images, price.limits.image_tokens_max) {
        (0, _) => 0,
        (_, Some(tokens)) => tokens,
        (_, None) => return Err(BoundError::ImagesUnbounded),
    };
    // A chat has one window; of what is embedded, each text has the window for itself.
    let window = if price.limits.embeds() { u64::MAX } else { price.limits.context_window };
    let usage = TokenUsage {
        uncached: size.input_bytes.min(window),
        image: size.images.checked_mul(per_image).ok_or(BoundError::Overflow)?,
        output: output.checked_mul(size.choices).ok_or(BoundError::Overflow)?,
        ..TokenUsage::default()
    };
    Ok(rates.cost(&usage)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::price::{ModelLimits, Rates};
    use super::*;

    fn gpt_4o() -> Price {
        let rates = Rates {
            input: 2_500_000,
            cache_read: 1_250_000,
            image: 2_500_000,
            output: 10_000_000,
            ..Rates::default()
        };
        let limits =
            ModelLimits { context_window: 128_000, max_output_tokens: 16_384, image_tokens_max: Some(1445) };
        Price { id: "openai/gpt-4o@1".to_owned(), rates, limits, reasoning: false }
    }

    const SIZE: RequestSize = RequestSize {
        input_bytes: 1000,
        images: 0,
        choices: 1,
        max_output_tokens: None,
        cache_points: false,
    };

    #[test]
    fn without_a_callers_limit_the_hard_limit_caps_the_output() {
        let limit = NanoUsd::from_nano(50_000_000);
        let bound = bound(&gpt_4o(), &SIZE, Some(limit)).expect("fits");
        assert_eq!(bound.max_output_tokens, 4750);
        assert_eq!(bound.amount, limit);
    }

    #[test]
    fn a_callers_limit_that_could_pass_the_hard_limit_is_refused_with_the_estimate() {
        let size = RequestSize { max_output_tokens: Some(10_000), choices: 4, ..SIZE };
        let refused = bound(&gpt_4o(), &size, Some(NanoUsd::from_nano(100_000_000)));
        assert!(
            matches!(refused, Err(BoundError::OverLimit { estimate, .. }) if estimate == NanoUsd::from_nano(402_500_000))
        );
    }

    #[test]
    fn images_are_never_free() {
        let size = RequestSize { images: 2, max_output_tokens: Some(1), ..SIZE };
        let with = bound(&gpt_4o(), &size, None).expect("bounded").amount;
        let without = bound(&gpt_4o(), &RequestSize { images: 0, ..size }, None).expect("bounded").amount;
        assert_eq!(with.nano() - without.nano(), 2 * 1445 * 2500);
        let mut unbounded = gpt_4o();
        unbounded.limits.image_tokens_max = None;
        assert_eq!(bound(&unbounded, &size, None), Err(BoundError::ImagesUnbounded));
    }

    proptest! {
        #[test]
        fn no_usage_within_the_bound_costs_more_than_the_hold(
            input_bytes in 0..200_000_u64, tokens in 0..200_000_u64, cached in 0..200_000_u64,
            images in 0..20_u64, output in 0..16_384_u64, asked in 1..20_000_u64,
        ) {
            let size = RequestSize { input_bytes, images, choices: 1, max_output_tokens: Some(asked), cache_points: false };
            let price = gpt_4o();
            let bound = bound(&price, &size, None).expect("bounded");
            let input = tokens.min(input_bytes).min(price.limits.context_window);
            let cache_read = cached.min(input);
            let usage = TokenUsage {
                uncached: input - cache_read, cache_read, image: images * 1445,
                output: output.min(bound.max_output_tokens), ..TokenUsage::default()
            };
            prop_assert!(price.cost(&usage).expect("small") <= bound.amount);
        }
    }
}
