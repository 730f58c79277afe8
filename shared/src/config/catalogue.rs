//! The public catalogue of model prices that LiteLLM users know,
//! `model_prices_and_context_window.json`: dollars a token by model, read digit by digit.
#![deny(clippy::float_arithmetic)]

mod costs;
mod entry;
mod names;
mod offer;

use std::collections::BTreeMap;

use super::error::{ConfigErrors, Faults};
use super::model_name::ModelName;
use entry::Pairs;
pub use offer::{Offer, StatedBatch, StatedRates, StatedTier};

/// The entry that describes the format.
const SPECIMEN: &str = "sample_spec";

/// The models of a catalogue, in its order: those that a price list can price, and the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// No two have one model name.
    pub offers: Vec<Offer>,
    /// What has no price here, and why.
    pub skipped: Vec<Skipped>,
}

/// An entry without a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The entry's own name.
    pub entry: String,
    /// The provider as price lists call it; none where the entry names none.
    pub provider: Option<String>,
    /// Why a price list cannot hold it.
    pub reason: String,
}

impl Catalogue {
    /// Reads a catalogue. An entry that cannot be priced is skipped, never half read.
    ///
    /// # Errors
    /// When `text` is no JSON object.
    pub fn parse(text: &str) -> Result<Catalogue, ConfigErrors> {
        let faults = Faults::default();
        let entries = match serde_json::from_str::<Pairs>(text) {
            Ok(Pairs(entries)) => entries,
            Err(error) => {
                faults.add("$", format!("is no catalogue of prices: {error}"));
                Vec::new()
            }
        };
        let mut catalogue = Catalogue::default();
        let mut seen: BTreeMap<ModelName, String> = BTreeMap::new();
        for (name, value) in entries.iter().filter(|(name, _)| name != SPECIMEN) {
            let read = Offer::read(name, value.get()).and_then(|offer| match seen.get(&offer.model) {
                Some(earlier) => Err(Skipped {
                    entry: name.clone(),
                    provider: Some(offer.model.provider().to_owned()),
                    reason: format!("is {} like {earlier:?} above", offer.model),
                }),
                None => Ok(offer),
            });
            match read {
                Ok(offer) => {
                    seen.insert(offer.model.clone(), name.clone());
                    catalogue.offers.push(offer);
                }
                Err(skipped) => catalogue.skipped.push(skipped),
            }
        }
        faults.or(catalogue)
    }

    /// What the catalogue says of `model`.
    pub fn offer(&self, model: &str) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.model.as_str() == model)
    }
}

#[cfg(test)]
mod tests;
