//! `tollgate prices diff`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use shared::config::{
    Catalogue, Dialect, LongContext, ModelName, Offer, PriceRow, Rates, StatedRates, StatedTier,
    known_provider,
};

use super::super::gateway::columns;
use super::list::current;
use super::{Failure, catalogue, dollars, print};
use crate::dev::files;

/// A change of more than one part in so many is marked for review: a fifth.
const REVIEW_ABOVE_ONE_IN: u64 = 5;

#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The catalogue to compare with.
    file: PathBuf,
    /// Price list; without it config/prices.json, if there is one, else the built-in list.
    #[arg(long)]
    prices: Option<PathBuf>,
}

/// One rate, or the threshold of long inputs, on which the two differ. Rates are micro-dollars per
/// million tokens.
#[derive(Debug, PartialEq, Eq)]
struct Drift<'a> {
    row: &'a PriceRow,
    what: String,
    ours: Option<u64>,
    theirs: Option<u64>,
    is_rate: bool,
}

impl Diff {
    pub(super) fn run(&self, today: &str, json: bool) -> Result<ExitCode, Failure> {
        let catalogue = catalogue(&self.file)?;
        let prices = files::prices(self.prices.as_deref()).map_err(Failure::WrongUse)?;
        let rows = current(&prices, today);
        let (mut drifts, mut unlisted) = (Vec::new(), Vec::new());
        for row in &rows {
            match offer(&catalogue, row) {
                Some(offer) => drifts.extend(compare(row, offer)),
                None => unlisted.push(row.model.as_str()),
            }
        }
        let compared = rows.len() - unlisted.len();
        match json {
            true => print(&document(&drifts, &unlisted, compared).to_string())?,
            false => print(&text(&drifts, &unlisted, compared))?,
        }
        Ok(if drifts.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// What the catalogue says of the model of `row`, under its name, under the provider's own name for
/// it, or under that of Amazon Bedrock.
fn offer<'a>(catalogue: &'a Catalogue, row: &PriceRow) -> Option<&'a Offer> {
    let model = ModelName::qualified(&row.model).ok()?;
    let provider = known_provider(model.provider());
    let id = provider.as_ref().map_or(model.model(), |provider| provider.model_id(model.model()));
    let bedrock = provider.as_ref().is_some_and(|provider| provider.dialect == Dialect::Bedrock);
    let names = [
        Some(row.model.clone()),
        Some(format!("{}/{id}", model.provider())),
        bedrock.then(|| format!("bedrock/{id}")),
    ];
    names.into_iter().flatten().find_map(|name| catalogue.offer(&name))
}

/// Where the two differ, of what the catalogue states. Batches are compared where both have them.
fn compare<'a>(row: &'a PriceRow, offer: &Offer) -> Vec<Drift<'a>> {
    let mut drifts = compare_rates(row, "", &row.rates, &offer.rates);
    // A window that ends at the threshold has no long inputs.
    let ours = row.long_context.filter(|tier| row.context_window > tier.above_tokens);
    let theirs = offer.long_context.as_ref().filter(|tier| row.context_window > tier.above_tokens);
    drifts.extend(compare_tiers(row, "", ours, theirs));
    if let (Some(ours), Some(theirs)) = (row.batch, &offer.batch) {
        drifts.extend(compare_rates(row, "batch.", &ours.rates, &theirs.rates));
        if let Some(tier) = &theirs.long_context {
            drifts.extend(compare_tiers(row, "batch.", ours.long_context, Some(tier)));
        }
    }
    drifts
}

fn compare_rates<'a>(row: &'a PriceRow, within: &str, ours: &Rates, theirs: &StatedRates) -> Vec<Drift<'a>> {
    let differing = theirs.iter().filter(|(dimension, rate)| ours.rate(**dimension) != **rate);
    let drift = differing.map(|(dimension, rate)| Drift {
        row,
        what: format!("{within}{dimension}"),
        ours: Some(ours.rate(*dimension).unsigned_abs()),
        theirs: Some(rate.unsigned_abs()),
        is_rate: true,
    });
    drift.collect()
}

fn compare_tiers<'a>(
    row: &'a PriceRow,
    within: &str,
    ours: Option<LongContext>,
    theirs: Option<&StatedTier>,
) -> Vec<Drift<'a>> {
    let [above, stated] = [ours.map(|tier| tier.above_tokens), theirs.map(|tier| tier.above_tokens)];
    let within = format!("{within}long_context.");
    let mut drifts = Vec::new();
    if above != stated {
        let what = format!("{within}above_tokens");
        drifts.push(Drift { row, what, ours: above, theirs: stated, is_rate: false });
    }
    if let (Some(ours), Some(theirs)) = (ours, theirs) {
        drifts.extend(compare_rates(row, &within, &ours.rates, &theirs.rates));
    }
    drifts
}

impl Drift<'_> {
    fn shown(&self, value: Option<u64>) -> Option<String> {
        let value = value?;
        match self.is_rate {
            true => Some(dollars(i64::try_from(value).unwrap_or(i64::MAX))),
            false => Some(value.to_string()),
        }
    }

    /// By how much theirs is above ours, in percent with one decimal, rounded towards zero.
    fn percent(&self) -> Option<String> {
        let (ours, theirs) = (self.ours.filter(|ours| *ours > 0)?, self.theirs?);
        let tenths = u128::from(ours.abs_diff(theirs)) * 1000 / u128::from(ours);
        let sign = if theirs < ours { "-" } else { "+" };
        Some(format!("{sign}{}.{}", tenths / 10, tenths % 10))
    }

    /// A person should look before the change is taken over.
    fn needs_review(&self) -> bool {
        match (self.ours, self.theirs) {
            (Some(ours), Some(theirs)) => {
                !self.is_rate
                    || u128::from(ours.abs_diff(theirs)) * u128::from(REVIEW_ABOVE_ONE_IN) > u128::from(ours)
            }
            _ => true,
        }
    }
}

fn text(drifts: &[Drift<'_>], unlisted: &[&str], compared: usize) -> String {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let mut parts = Vec::new();
    if !drifts.is_empty() {
        let mut lines = vec![["MODEL", "RATE", "OURS", "THEIRS", "CHANGE %", ""].map(str::to_owned)];
        lines.extend(drifts.iter().map(|drift| {
            let review = if drift.needs_review() { "review" } else { "" };
            let [ours, theirs] = [drift.ours, drift.theirs].map(|value| or_dash(drift.shown(value)));
            let change = or_dash(drift.percent());
            [drift.row.model.clone(), drift.what.clone(), ours, theirs, change, review.to_owned()]
        }));
        parts.push(format!("{}\n\nDollars per million tokens.", columns(&lines)));
    }
    if !unlisted.is_empty() {
        parts.push(format!("Not in the catalogue: {}.", unlisted.join(", ")));
    }
    parts.push(format!("{compared} models compared, {} differences.", drifts.len()));
    parts.join("\n\n")
}

fn document(drifts: &[Drift<'_>], unlisted: &[&str], compared: usize) -> Value {
    let drift = |drift: &Drift<'_>| {
        json!({
            "model": drift.row.model,
            "priceId": drift.row.id,
            "dimension": drift.what,
            "unit": if drift.is_rate { "usd_per_mtok" } else { "tokens" },
            "ours": drift.shown(drift.ours),
            "theirs": drift.shown(drift.theirs),
            "percent": drift.percent(),
            "review": drift.needs_review(),
        })
    };
    let drifts: Vec<Value> = drifts.iter().map(drift).collect();
    json!({ "compared": compared, "drift": drifts, "unlisted": unlisted })
}
