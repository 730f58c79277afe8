//! The keys under which an entry states its prices: a base for each dimension, then a threshold
//! for long inputs, then the service.

use std::collections::{BTreeMap, BTreeSet};

use super::super::rates::{Dimension, PRICE_MAX, TOKENS_MAX};
use super::entry::Entry;
use super::offer::StatedRates;

/// What an entry calls each dimension.
const BASES: &[(Dimension, &str)] = &[
    (Dimension::Input, "input_cost_per_token"),
    (Dimension::CacheRead, "cache_read_input_token_cost"),
    (Dimension::CacheWrite5m, "cache_creation_input_token_cost"),
    (Dimension::CacheWrite1h, "cache_creation_input_token_cost_above_1hr"),
    (Dimension::Audio, "input_cost_per_audio_token"),
    (Dimension::Image, "input_cost_per_image_token"),
    (Dimension::Output, "output_cost_per_token"),
    (Dimension::ReasoningOutput, "output_cost_per_reasoning_token"),
];

/// Charges that no rate of tokens covers, and what they are for.
const UNPRICED: &[(&str, &str)] = &[
    ("tiered_pricing", "tiers by ranges of tokens"),
    ("input_cost_per_request", "each request"),
    ("input_cost_per_query", "each request"),
    ("citation_cost_per_token", "citations"),
    ("output_cost_per_audio_token", "audio in its answers"),
    ("output_cost_per_image_token", "images in its answers"),
    ("output_cost_per_video_token", "video in its answers"),
];

/// The rates that `entry` states for inputs above `threshold` tokens, or for all without one.
///
/// # Errors
/// When a price cannot be kept exactly.
pub(super) fn stated(entry: &Entry, threshold: Option<u64>, batch: bool) -> Result<StatedRates, String> {
    let above = threshold.map(|tokens| format!("_above_{}k_tokens", tokens / 1000)).unwrap_or_default();
    let service = if batch { "_batches" } else { "" };
    let mut rates = BTreeMap::new();
    for (dimension, base) in BASES {
        if let Some(rate) = entry.rate(&format!("{base}{above}{service}"), PRICE_MAX)? {
            rates.insert(*dimension, rate);
        }
    }
    Ok(rates)
}

/// The thresholds above which `entry` states other rates, in tokens.
pub(super) fn thresholds(entry: &Entry) -> BTreeSet<u64> {
    let of = |key: &str| {
        let rests = BASES.iter().filter_map(|(_, base)| key.strip_prefix(base)?.strip_prefix("_above_"));
        let counts = rests.filter_map(|rest| {
            let count = rest.strip_suffix("_batches").unwrap_or(rest).strip_suffix("k_tokens")?;
            let tokens = count.parse::<u64>().ok()?.checked_mul(1000)?;
            let written = count == (tokens / 1000).to_string();
            (written && (1..=TOKENS_MAX).contains(&tokens)).then_some(tokens)
        });
        counts.collect::<Vec<u64>>()
    };
    entry.keys().flat_map(of).collect()
}

/// What else `entry` charges for, beyond the rates of a price list.
pub(super) fn unpriced(entry: &Entry) -> Option<&'static str> {
    UNPRICED.iter().find(|(key, _)| entry.has(key)).map(|(_, what)| *what)
}
