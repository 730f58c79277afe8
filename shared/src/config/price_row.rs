//! One row of the price list.
#![deny(clippy::float_arithmetic)]

use super::model_name::{ModelName, ModelNameError};
use super::rates::{BatchPrice, LongContext, Rates, TOKENS_MAX};
use super::section::Section;

pub(super) const KEYS: &[&str] = &[
    "id",
    "model",
    "valid_from",
    "unit",
    "input",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "audio",
    "image",
    "output",
    "reasoning_output",
    "writes_cache_unasked",
    "long_context",
    "batch",
    "context_window",
    "max_output_tokens",
    "image_tokens_max",
    "image_tokens_basis",
    "reasoning",
    "embeds",
    "free",
    "source",
    "checked",
    "note",
];

/// The only unit of prices: whole micro-dollars per million tokens.
pub(super) const UNIT: &str = "usd_micro_per_mtok";

/// What one model costs from one day on. Immutable: a new price is a new row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRow {
    /// Names the row in the ledger, `openai/gpt-4o@2024-10-02`.
    pub id: String,
    /// `provider/model`, or `provider/*` for every model of a provider without a row of its own.
    pub model: String,
    /// First day the row holds, `YYYY-MM-DD`, UTC.
    pub valid_from: String,
    /// What tokens cost.
    pub rates: Rates,
    /// What they cost in a request with a long input, where that is another price.
    pub long_context: Option<LongContext>,
    /// What they cost in a batch, where the provider has batches.
    pub batch: Option<BatchPrice>,
    /// The provider writes prompts to its cache without being asked, so that any input can cost
    /// the rates of cache writes.
    pub writes_cache_unasked: bool,
    /// Tokens the model can take, input and output together.
    pub context_window: u64,
    /// Tokens of one answer at most; 0 for a model that embeds.
    pub max_output_tokens: u64,
    /// Tokens one image costs at worst; none when the model takes no images or has no known bound.
    pub image_tokens_max: Option<u64>,
    /// The model spends output tokens on reasoning that it does not show.
    pub reasoning: bool,
    /// The model turns texts into vectors: it answers nothing and its output costs nothing.
    pub embeds: bool,
    /// An admin marked the model free: every rate is 0.
    pub free: bool,
    /// Where the prices were read.
    pub source: String,
    /// The day they were read, `YYYY-MM-DD`.
    pub checked: String,
}

impl PriceRow {
    pub(super) fn read(section: &Section<'_>) -> PriceRow {
        let free = section.boolean("free", false);
        let embeds = section.boolean("embeds", false);
        check_unit(section);
        for key in ["max_output_tokens", "reasoning"].into_iter().filter(|_| embeds) {
            if section.has(key) {
                section.refuse(key, "is not for a model that embeds");
            }
        }
        let long_context = LongContext::read(section, free, embeds);
        PriceRow {
            id: required_text(section, "id"),
            model: read_model(section),
            valid_from: required_date(section, "valid_from"),
            rates: Rates::read(section, free, embeds),
            long_context,
            batch: BatchPrice::read(section, long_context, free, embeds),
            writes_cache_unasked: section.boolean("writes_cache_unasked", false),
            context_window: required_tokens(section, "context_window", TOKENS_MAX),
            max_output_tokens: if embeds { 0 } else { required_tokens(section, "max_output_tokens", 1) },
            image_tokens_max: read_image_tokens(section),
            reasoning: section.boolean("reasoning", false),
            embeds,
            free,
            source: required_text(section, "source"),
            checked: required_date(section, "checked"),
        }
    }
}

fn read_model(section: &Section<'_>) -> String {
    let text = required_text(section, "model");
    let exact = text.strip_suffix("/*").map_or_else(|| text.clone(), |p| format!("{p}/any"));
    let several = exact != text && exact.matches('/').count() > 1;
    match ModelName::qualified(&exact) {
        _ if text.is_empty() => {}
        Ok(_) if several => section.refuse("model", "a wildcard is written provider/*"),
        Ok(_) => {}
        Err(ModelNameError::ForbiddenCharacter) if text.contains('*') => {
            section.refuse("model", "a wildcard is written provider/*");
        }
        Err(error) => section.refuse("model", error.to_string()),
    }
    text
}

fn check_unit(section: &Section<'_>) {
    section.require("unit");
    if section.optional_text("unit").is_some_and(|unit| unit != UNIT) {
        section.refuse("unit", format!("must be {UNIT:?}"));
    }
}

fn required_tokens(section: &Section<'_>, key: &str, default: u64) -> u64 {
    section.require(key);
    section.number(key, 1..=TOKENS_MAX, default)
}

fn read_image_tokens(section: &Section<'_>) -> Option<u64> {
    let tokens = section.optional_number("image_tokens_max", 1..=TOKENS_MAX);
    let basis = section.optional_text("image_tokens_basis");
    if tokens.is_some() && basis.is_none() {
        section.refuse("image_tokens_basis", "must say how image_tokens_max was computed");
    }
    tokens
}

fn required_text(section: &Section<'_>, key: &str) -> String {
    section.require(key);
    section.text(key, "")
}

fn required_date(section: &Section<'_>, key: &str) -> String {
    let date = required_text(section, key);
    if !date.is_empty() && !is_date(&date) {
        section.refuse(key, "must be a date, YYYY-MM-DD");
    }
    date
}

/// Whether `text` is a day of the Gregorian calendar in the form whose order is that of text.
fn is_date(text: &str) -> bool {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else {
        return false;
    };
    if ![y1, y2, y3, y4, m1, m2, d1, d2].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let number = |digits: &[u8]| digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let year = number(&[y1, y2, y3, y4]);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match number(&[m1, m2]) {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=last).contains(&number(&[d1, d2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        for (text, date) in [
            ("2024-10-02", true),
            ("2024-02-29", true),
            ("2000-02-29", true),
            ("2023-02-29", false),
            ("1900-02-29", false),
            ("2024-04-31", false),
            ("2024-13-01", false),
            ("2024-00-10", false),
            ("2024-01-00", false),
            ("2024-1-01", false),
            ("02-10-2024", false),
            ("2024-10-02T00:00", false),
            ("+024-10-02", false),
            ("２024-10-02", false),
        ] {
            assert_eq!(is_date(text), date, "{text}");
        }
    }
}
