//! `tollgate prices import`.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use shared::config::{ConfigErrors, Offer, Prices, Skipped};

use super::{Failure, catalogue, print};

/// What a list says that is made from nothing.
const NOTE: &str = "Prices are whole micro-dollars per million tokens: 2500000 is $2.50. A rate that a row leaves out is that of input, and that of reasoning is that of output. Rows are never changed: a new price is a new row with a later valid_from.";

#[derive(Debug, Args)]
pub(super) struct Import {
    /// The catalogue to read.
    file: PathBuf,
    /// The price list to write; the rows it has are kept.
    #[arg(long, default_value = "prices.json")]
    output: PathBuf,
    /// Providers to import, separated by commas, such as openai,google; every provider if left out.
    #[arg(long, value_delimiter = ',')]
    provider: Option<Vec<String>>,
    /// First day of the prices, YYYY-MM-DD; today if left out.
    #[arg(long)]
    valid_from: Option<String>,
    /// Import models whose every price is 0 too, and mark them free.
    #[arg(long)]
    free: bool,
}

/// What came of a catalogue.
struct Outcome {
    imported: Vec<String>,
    skipped: Vec<(String, String)>,
}

impl Import {
    pub(super) fn run(&self, today: &str, json: bool) -> Result<ExitCode, Failure> {
        let catalogue = catalogue(&self.file)?;
        let (mut list, priced) = self.existing()?;
        let mut rows = Vec::new();
        let mut outcome = Outcome { imported: Vec::new(), skipped: Vec::new() };
        let wanted = catalogue.skipped.iter().filter(|skipped| self.wants(skipped.provider.as_deref()));
        outcome.skipped.extend(wanted.map(|Skipped { entry, reason, .. }| (entry.clone(), reason.clone())));
        let offers = catalogue.offers.iter().filter(|offer| self.wants(Some(offer.model.provider())));
        for offer in offers {
            match self.refusal(offer, &priced) {
                Some(reason) => outcome.skipped.push((offer.entry.clone(), reason)),
                None => {
                    let row = self.row(offer, today);
                    outcome.imported.push(row["id"].as_str().unwrap_or_default().to_owned());
                    rows.push(row);
                }
            }
        }
        let count = add(&mut list, rows);
        self.write(&list)?;
        match json {
            true => print(&outcome.document(&self.output, count).to_string())?,
            false => print(&outcome.text(&self.output, count))?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn wants(&self, provider: Option<&str>) -> bool {
        let Some(wanted) = &self.provider else { return true };
        provider.is_some_and(|provider| wanted.iter().any(|name| name == provider))
    }

    /// Why a model that could be priced is not imported.
    fn refusal(&self, offer: &Offer, priced: &BTreeSet<String>) -> Option<String> {
        if offer.free && !self.free {
            return Some("every price is 0; --free imports such models and marks them free".to_owned());
        }
        let known = priced.contains(offer.model.as_str());
        known.then(|| format!("{} has a row already", offer.model))
    }

    fn row(&self, offer: &Offer, today: &str) -> Value {
        let file = self.file.file_name().unwrap_or_default().to_string_lossy();
        let valid_from = self.valid_from.as_deref().unwrap_or(today);
        offer.row(valid_from, today, &file)
    }

    /// The list that is there, as it stands, and the models that it prices.
    fn existing(&self) -> Result<(Value, BTreeSet<String>), Failure> {
        if !self.output.exists() {
            return Ok((json!({ "version": 1, "note": NOTE, "prices": [] }), BTreeSet::new()));
        }
        let named = |why: &dyn Display| Failure::WrongUse(format!("{}: {why}", self.output.display()));
        let text = fs::read_to_string(&self.output).map_err(|error| named(&error))?;
        let prices = Prices::parse(&text).map_err(|faults| named(&faults))?;
        let list = serde_json::from_str(&text).map_err(|error| named(&error))?;
        Ok((list, prices.rows().iter().map(|row| row.model.clone()).collect()))
    }

    /// Writes the list whole or not at all, and nothing that the gateway would refuse.
    fn write(&self, list: &Value) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::Failed(format!("{}: {error}", self.output.display()));
        let text = format!("{list:#}\n");
        let refused = |faults: ConfigErrors| format!("the list would not be valid:\n{faults}");
        Prices::parse(&text).map_err(|faults| Failure::WrongUse(refused(faults)))?;
        let beside = self.output.with_extension("json.new");
        fs::write(&beside, text).map_err(failed)?;
        fs::rename(&beside, &self.output).map_err(failed)
    }
}

/// Adds `rows` to a list, and says how many it has then.
fn add(list: &mut Value, rows: Vec<Value>) -> usize {
    let Some(Value::Array(all)) = list.get_mut("prices") else { return 0 };
    all.extend(rows);
    all.len()
}

impl Outcome {
    fn document(&self, output: &Path, rows: usize) -> Value {
        let skipped = |(entry, reason): &(String, String)| json!({ "entry": entry, "reason": reason });
        let skipped: Vec<Value> = self.skipped.iter().map(skipped).collect();
        let output = output.display().to_string();
        json!({ "output": output, "rows": rows, "imported": self.imported, "skipped": skipped })
    }

    fn text(&self, output: &Path, rows: usize) -> String {
        let skipped = self.skipped.iter().map(|(entry, reason)| format!("skipped {entry}: {reason}\n"));
        let (imported, count) = (self.imported.len(), self.skipped.len());
        let output = output.display();
        format!(
            "{}{imported} imported, {count} skipped: {output} has {rows} rows",
            skipped.collect::<String>()
        )
    }
}
