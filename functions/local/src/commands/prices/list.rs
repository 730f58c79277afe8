//! `tollgate prices list`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use shared::config::{Dimension, LongContext, Named, PriceRow, Prices, Rates};

use super::super::gateway::columns;
use super::{Failure, dollars, print};
use crate::dev::files;

#[derive(Debug, Args)]
pub(super) struct List {
    /// Price list; without it config/prices.json, if there is one, else the built-in list.
    #[arg(long)]
    prices: Option<PathBuf>,
}

impl List {
    pub(super) fn run(&self, today: &str, json: bool) -> Result<ExitCode, Failure> {
        let prices = files::prices(self.prices.as_deref()).map_err(Failure::WrongUse)?;
        let rows = current(&prices, today);
        match json {
            true => {
                let rows: Vec<Value> = rows.into_iter().map(document).collect();
                print(&json!({ "unit": "usd_per_mtok", "prices": rows }).to_string())?;
            }
            false => print(&text(&rows))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The newest row of each model that is valid on `today`, in the order of their names.
pub(super) fn current<'a>(prices: &'a Prices, today: &str) -> Vec<&'a PriceRow> {
    let mut rows: Vec<&PriceRow> =
        prices.rows().iter().filter(|row| row.valid_from.as_str() <= today).collect();
    rows.sort_by(|a, b| (&a.model, &b.valid_from).cmp(&(&b.model, &a.valid_from)));
    rows.dedup_by(|later, first| later.model == first.model);
    rows
}

fn text(rows: &[&PriceRow]) -> String {
    let head = ["MODEL", "INPUT", "CACHE READ", "CACHE WRITE", "OUTPUT", "LONG ABOVE", "VALID FROM"];
    let mut lines = vec![head.map(str::to_owned)];
    lines.extend(rows.iter().map(|row| {
        let long = row.long_context.map_or_else(|| "-".to_owned(), |tier| tier.above_tokens.to_string());
        let rates = row.rates;
        let [input, read, write] = [rates.input, rates.cache_read, rates.cache_write_5m].map(dollars);
        let output = if row.embeds { "-".to_owned() } else { dollars(rates.output) };
        [row.model.clone(), input, read, write, output, long, row.valid_from.clone()]
    }));
    format!("{}\n\nDollars per million tokens.", columns(&lines))
}

fn document(row: &PriceRow) -> Value {
    let tier = |tier: LongContext| {
        let mut document = rates(&tier.rates, row.embeds);
        document["aboveTokens"] = json!(tier.above_tokens);
        document
    };
    let batch = row.batch.map(|batch| {
        let mut document = rates(&batch.rates, row.embeds);
        document["longContext"] = json!(batch.long_context.map(tier));
        document
    });
    json!({
        "id": row.id,
        "model": row.model,
        "validFrom": row.valid_from,
        "rates": rates(&row.rates, row.embeds),
        "longContext": row.long_context.map(tier),
        "batch": batch,
        "contextWindow": row.context_window,
        "maxOutputTokens": row.max_output_tokens,
        "source": row.source,
        "checked": row.checked,
    })
}

/// Every rate by its key in the price list; a model that embeds has none of output.
fn rates(rates: &Rates, embeds: bool) -> Value {
    let is_stated = |dimension: &Dimension| {
        !embeds || !matches!(dimension, Dimension::Output | Dimension::ReasoningOutput)
    };
    let all = Dimension::NAMES.iter().filter(|(_, dimension)| is_stated(dimension));
    all.map(|(name, dimension)| ((*name).to_owned(), json!(dollars(rates.rate(*dimension))))).collect()
}
