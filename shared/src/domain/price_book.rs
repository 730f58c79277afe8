//! The price list: which row prices a model on a day.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::price::{ModelLimits, Price};
use super::time::Timestamp;
use crate::config::{ModelName, Prices};

/// All rows, looked up by exact name first, then by provider-wide rows (`demo/*`).
#[derive(Clone, Debug, Default)]
pub struct PriceBook {
    /// By `provider/model` or `provider/*`.
    rows: BTreeMap<String, Vec<Row>>,
}

#[derive(Clone, Debug)]
struct Row {
    /// `YYYY-MM-DD`.
    valid_from: String,
    price: Arc<Price>,
}

impl From<&Prices> for PriceBook {
    fn from(prices: &Prices) -> Self {
        let mut book = PriceBook::default();
        for row in prices.rows() {
            let limits = ModelLimits {
                context_window: row.context_window,
                max_output_tokens: row.max_output_tokens,
                image_tokens_max: row.image_tokens_max,
            };
            let price = Price {
                id: row.id.clone(),
                rates: row.rates,
                long_context: row.long_context,
                batch: row.batch,
                limits,
                reasoning: row.reasoning,
                writes_cache_unasked: row.writes_cache_unasked,
            };
            book.add(&row.model, &row.valid_from, price);
        }
        book
    }
}

impl PriceBook {
    /// Adds a row. `model` is a full name or `provider/*`; `valid_from` is `YYYY-MM-DD`.
    pub fn add(&mut self, model: &str, valid_from: &str, price: Price) {
        let row = Row { valid_from: valid_from.to_owned(), price: Arc::new(price) };
        self.rows.entry(model.to_owned()).or_default().push(row);
    }

    /// The newest row that is valid at `now`. A model without one is refused before dispatch.
    pub fn price(&self, model: &ModelName, now: Timestamp) -> Option<Arc<Price>> {
        let today = now.date();
        let wide = || self.newest(&format!("{}/*", model.provider()), &today);
        self.newest(model.as_str(), &today).or_else(wide)
    }

    /// Every model named exactly, in order.
    pub fn models(&self) -> Vec<&str> {
        self.rows.keys().map(String::as_str).filter(|name| !name.ends_with("/*")).collect()
    }

    fn newest(&self, model: &str, today: &str) -> Option<Arc<Price>> {
        let valid = self.rows.get(model)?.iter().filter(|row| row.valid_from.as_str() <= today);
        valid.max_by(|a, b| a.valid_from.cmp(&b.valid_from)).map(|row| Arc::clone(&row.price))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(id: &str) -> Price {
        Price { id: id.to_owned(), ..Price::default() }
    }

    #[test]
    fn the_newest_valid_row_wins_and_an_exact_name_beats_a_wide_one() {
        let mut book = PriceBook::default();
        book.add("demo/*", "2020-01-01", price("wide"));
        book.add("demo/a", "2024-01-01", price("old"));
        book.add("demo/a", "2026-01-01", price("new"));
        book.add("demo/a", "2030-01-01", price("future"));
        let at = Timestamp::from_millis(1_790_000_000_000);
        let id = |model: &str| book.price(&model.parse().expect(model), at).map(|price| price.id.clone());
        assert_eq!(id("demo/a").as_deref(), Some("new"));
        assert_eq!(id("demo/b").as_deref(), Some("wide"));
        assert_eq!(id("other/a"), None);
        assert_eq!(book.models(), ["demo/a"]);
    }
}
