//! The price list, `prices.json`: versioned rows. Which of them holds for a model on a day is the
//! domain's to say.

use super::error::{ConfigErrors, Faults};
use super::node::Node;
use super::price_row::{self, PriceRow};
use super::section::Section;

/// `note` is for people; the gateway does not read it.
const KEYS: &[&str] = &["version", "note", "prices"];

/// Every row of the price list. No two rows share an id, or a model and a first day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    rows: Vec<PriceRow>,
}

impl Prices {
    /// Reads a price list.
    ///
    /// # Errors
    /// Every fault found, each with its path: syntax, missing, duplicate and unknown keys, prices
    /// that are negative, no whole number, or 0 without `"free": true`, and duplicate rows.
    pub fn parse(text: &str) -> Result<Prices, ConfigErrors> {
        let faults = Faults::default();
        let document = Node::parse(text, &faults);
        let root = Section::open(document.as_ref(), "$", KEYS, &faults);
        root.require("version");
        root.require("prices");
        root.optional_number("version", 1..=1);
        let mut rows: Vec<PriceRow> = Vec::new();
        for (path, node) in root.list("prices").unwrap_or_default() {
            let section = Section::open(Some(node), &path, price_row::KEYS, &faults);
            let row = PriceRow::read(&section);
            check_against(&rows, &row, &section);
            rows.push(row);
        }
        faults.or(Prices { rows })
    }

    /// All rows, in the order of the file.
    pub fn rows(&self) -> &[PriceRow] {
        &self.rows
    }
}

fn check_against(rows: &[PriceRow], row: &PriceRow, section: &Section<'_>) {
    let same_id = |other: &PriceRow| !row.id.is_empty() && other.id == row.id;
    if rows.iter().any(same_id) {
        section.refuse("id", format!("{:?} names an earlier row", row.id));
    }
    let same_start = |other: &&PriceRow| {
        !row.model.is_empty() && other.model == row.model && other.valid_from == row.valid_from
    };
    if let Some(other) = rows.iter().find(same_start) {
        let message = format!("{:?} already prices this model from this day", other.id);
        section.refuse("model", message);
    }
    if row.max_output_tokens > row.context_window {
        section.refuse("max_output_tokens", "must not be above context_window");
    }
}

#[cfg(test)]
#[path = "shipped_prices_tests.rs"]
mod shipped_tests;
#[cfg(test)]
#[path = "prices_tests.rs"]
mod tests;
