//! What the models cost: a price list in which every rate may change in the middle of a world. The
//! provider reckons its bill from it, by itself.

use std::time::Duration;

use shared::config::ModelName;
use shared::domain::price::{LongContext, ModelLimits, Price, Rates};
use shared::domain::price_book::PriceBook;
use shared::domain::time::Timestamp;

use super::dice::Dice;
use super::plan::SKEW_MAX;

/// The models that have a price.
pub(crate) const PRICED: &[&str] =
    &["demo/a", "demo/b", "demo/thinks", "demo/sees", "demo/free", "demo/vectors"];
/// Configured, but nothing prices it.
pub(crate) const UNPRICED: &str = "demo/unpriced";
/// The longest that a request may take from its route to its last attempt.
const REQUEST_MAX: Duration = Duration::from_secs(900);

#[derive(Debug)]
pub(crate) struct Tariff {
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Row {
    model: &'static str,
    valid_from: String,
    price: Price,
}

impl Tariff {
    /// Each model has a price, and mostly another one from the day of `turn` on.
    pub(crate) fn draw(dice: &Dice, turn: Timestamp) -> Self {
        let mut rows = Vec::new();
        for model in PRICED {
            rows.push(Row::draw(dice, model, "2026-01-01"));
            if dice.chance(700) {
                rows.push(Row::draw(dice, model, &turn.date()));
            }
        }
        Tariff { rows }
    }

    pub(crate) fn book(&self) -> PriceBook {
        let mut book = PriceBook::default();
        for row in &self.rows {
            book.add(row.model, &row.valid_from, row.price.clone());
        }
        book
    }

    /// The version `id`, if it could be in force for an attempt at `now` of a request that some
    /// clock within the skew began.
    pub(crate) fn in_force(&self, model: &ModelName, id: &str, now: Timestamp) -> Option<&Price> {
        let skew = Duration::from_millis(SKEW_MAX);
        let moments = [now - skew - REQUEST_MAX, now, now + skew];
        let rows = moments.iter().filter_map(|at| self.newest(model.as_str(), &at.date()));
        rows.map(|row| &row.price).find(|price| price.id == id)
    }

    fn newest(&self, model: &str, day: &str) -> Option<&Row> {
        let valid = self.rows.iter().filter(|row| row.model == model && row.valid_from.as_str() <= day);
        valid.max_by(|a, b| a.valid_from.cmp(&b.valid_from))
    }
}

impl Row {
    fn draw(dice: &Dice, model: &'static str, from: &str) -> Self {
        let rate = || i64::try_from(dice.magnitude(10_000, 60_000_000)).unwrap_or(i64::MAX);
        let draw = || Rates {
            input: rate(),
            cache_read: rate(),
            cache_write_5m: rate(),
            cache_write_1h: rate(),
            audio: rate(),
            image: rate(),
            output: rate(),
            reasoning_output: dice.chance(300).then(rate),
        };
        let drawn = draw();
        let (rates, max_output_tokens) = match model {
            "demo/free" => (Rates::default(), 400),
            "demo/vectors" => (Rates { output: 0, ..drawn }, 0),
            _ => (drawn, dice.pick(&[60, 400, 4_000])),
        };
        let is_tiered = max_output_tokens > 0 && model != "demo/free" && dice.chance(300);
        let long_context =
            is_tiered.then(|| LongContext { above_tokens: dice.pick(&[20, 300, 2_000]), rates: draw() });
        let limits = ModelLimits {
            context_window: dice.pick(&[600, 8_000, 128_000]),
            max_output_tokens,
            image_tokens_max: (model == "demo/sees").then(|| dice.within(1..=900)),
        };
        let price = Price {
            id: format!("{model}@{from}"),
            rates,
            long_context,
            limits,
            reasoning: model == "demo/thinks",
            ..Price::default()
        };
        Row { model, valid_from: from.to_owned(), price }
    }
}
