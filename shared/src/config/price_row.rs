//! One row of the price list.
#![deny(clippy::float_arithmetic)]

use super::model_name::{ModelName, ModelNameError};
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
const UNIT: &str = "usd_micro_per_mtok";
/// A dollar a token: dearer than any model, and far from the limits of 64 bits.
const PRICE_MAX: i64 = 1_000_000_000_000;
/// More tokens than any model takes.
const TOKENS_MAX: u64 = 1_000_000_000;

/// What one model costs from one day on. Immutable: a new price is a new row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRow {
    /// Names the row in the ledger, `openai/gpt-4o@2024-10-02`.
    pub id: String,
    /// `provider/model`, or `provider/*` for every model of a provider without a row of its own.
    pub model: String,
    /// First day the row holds, `YYYY-MM-DD`, UTC.
    pub valid_from: String,
    /// Fresh input. All rates are whole micro-dollars per million tokens, 0 only when `free`.
    pub input_micro_per_mtok: i64,
    /// Input read from the provider's prompt cache; the rate of `input` where the file has none,
    /// as for every rate below but `output`.
    pub cache_read_micro_per_mtok: i64,
    /// Input written to the prompt cache for five minutes.
    pub cache_write_5m_micro_per_mtok: i64,
    /// Input written to the prompt cache for an hour.
    pub cache_write_1h_micro_per_mtok: i64,
    /// Audio input.
    pub audio_micro_per_mtok: i64,
    /// Image input.
    pub image_micro_per_mtok: i64,
    /// Output, reasoning included.
    pub output_micro_per_mtok: i64,
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
        let input = required_rate(section, "input", free);
        let rate = |key: &str| optional_rate(section, key, free).unwrap_or(input);
        check_unit(section);
        for key in ["output", "max_output_tokens", "reasoning"].into_iter().filter(|_| embeds) {
            if section.has(key) {
                section.refuse(key, "is not for a model that embeds");
            }
        }
        PriceRow {
            id: required_text(section, "id"),
            model: read_model(section),
            valid_from: required_date(section, "valid_from"),
            input_micro_per_mtok: input,
            cache_read_micro_per_mtok: rate("cache_read"),
            cache_write_5m_micro_per_mtok: rate("cache_write_5m"),
            cache_write_1h_micro_per_mtok: rate("cache_write_1h"),
            audio_micro_per_mtok: rate("audio"),
            image_micro_per_mtok: rate("image"),
            output_micro_per_mtok: if embeds { 0 } else { required_rate(section, "output", free) },
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
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else {
        return false;
    };
    if (year.len(), month.len(), day.len()) != (4, 2, 2) || !digits(&text.replace('-', "")) {
        return false;
    }
    let number = |part: &str| part.parse::<u32>().unwrap_or(0);
    let year = number(year);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match number(month) {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=last).contains(&number(day))
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
