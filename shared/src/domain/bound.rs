//! The hold: a true upper bound of what an attempt can cost before it is dispatched.
#![deny(clippy::float_arithmetic)]

use super::money::{MoneyError, NanoUsd};
use super::price::{Price, Rates};
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
/// limit, it is what the model and `hard_limit` allow. The long-context rates count when the input
/// can pass their threshold, and then of each class the dearer rate.
///
/// # Errors
/// See [`BoundError`].
pub fn bound(price: &Price, size: &RequestSize, hard_limit: Option<NanoUsd>) -> Result<Bound, BoundError> {
    let model_max = price.limits.max_output_tokens;
    let asked = size.max_output_tokens.map(|tokens| tokens.min(model_max));
    let amount_at = |output: u64| {
        let outputs = output.checked_mul(size.choices).ok_or(BoundError::Overflow)?;
        dearest(price, size, outputs)
    };
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

/// The most that an attempt with `outputs` output tokens in all its choices can cost.
///
/// # Errors
/// As [`bound`], apart from the limit.
pub fn dearest(price: &Price, size: &RequestSize, outputs: u64) -> Result<NanoUsd, BoundError> {
    let per_image = match (size.images, price.limits.image_tokens_max) {
        (0, _) => 0,
        (_, Some(tokens)) => tokens,
        (_, None) => return Err(BoundError::ImagesUnbounded),
    };
    // A chat has one window; of what is embedded, each text has the window for itself.
    let window = if price.limits.embeds() { u64::MAX } else { price.limits.context_window };
    let text = size.input_bytes.min(window);
    let image = size.images.checked_mul(per_image).ok_or(BoundError::Overflow)?;
    let rates = price.dearest_rates(text.saturating_add(image));
    let writes = size.cache_points || price.writes_cache_unasked;
    let cached = if writes { rates.cache_write_5m.max(rates.cache_write_1h) } else { 0 };
    let input = rates.input.max(rates.cache_read).max(cached);
    // Providers that do not tell images apart count them as input of any class.
    let dearest = Rates {
        input,
        image: rates.image.max(input),
        output: rates.output.max(rates.reasoning_rate()),
        ..Rates::default()
    };
    let usage = TokenUsage { uncached: text, image, output: outputs, ..TokenUsage::default() };
    Ok(dearest.cost(&usage)?)
}

#[cfg(test)]
mod tests;
