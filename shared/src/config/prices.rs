//! The price list, `prices.json`: versioned rows. Which of them holds for a model on a day is the
//! domain's to say.

use std::collections::{HashMap, HashSet};

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
        let open = |(path, node): &(String, _)| Section::open(Some(*node), path, price_row::KEYS, &faults);
        let sections: Vec<Section<'_>> = root.list("prices").unwrap_or_default().iter().map(open).collect();
        let rows: Vec<PriceRow> = sections.iter().map(PriceRow::read).collect();
        check(&rows, &sections);
        faults.or(Prices { rows })
    }

    /// All rows, in the order of the file.
    pub fn rows(&self) -> &[PriceRow] {
        &self.rows
    }
}

/// Notes every row that has the id of an earlier one, or its model and first day, and every answer
/// that would not fit its window.
fn check(rows: &[PriceRow], sections: &[Section<'_>]) {
    let mut ids: HashSet<&str> = HashSet::new();
    let mut starts: HashMap<(&str, &str), &str> = HashMap::new();
    for (row, section) in rows.iter().zip(sections) {
        if !row.id.is_empty() && !ids.insert(&row.id) {
            section.refuse("id", format!("{:?} names an earlier row", row.id));
        }
        let start = (row.model.as_str(), row.valid_from.as_str());
        match starts.get(&start) {
            _ if row.model.is_empty() => {}
            Some(other) => {
                section.refuse("model", format!("{other:?} already prices this model from this day"))
            }
            None => drop(starts.insert(start, &row.id)),
        }
        if row.max_output_tokens > row.context_window {
            section.refuse("max_output_tokens", "must not be above context_window");
        }
    }
}

#[cfg(test)]
#[path = "shipped_prices_tests.rs"]
mod shipped_tests;
#[cfg(test)]
#[path = "prices_tests.rs"]
mod tests;
