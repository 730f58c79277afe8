//! The operator's files.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::config::{
    Catalogue, Config, ConfigErrors, Dimension, Named, Offer, PriceRow, Prices, Rates, StatedRates,
};

/// A file is used, or every fault in it has a place and a reason; reading it again says the same.
pub(super) fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = Config::parse(text);
    assert_eq!(read, Config::parse(text));
    match read {
        Err(faults) => assert_faults(&faults),
        Ok(config) => {
            for model in config.routing.chain() {
                assert!(config.provider(model.provider()).is_some(), "{model:?} has no provider");
            }
        }
    }
}

/// No two rows of a list that is used have one name, and nothing is free that does not say so.
pub(super) fn prices(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = Prices::parse(text);
    assert_eq!(read, Prices::parse(text));
    match read {
        Err(faults) => assert_faults(&faults),
        Ok(prices) => {
            let ids: BTreeSet<&str> = prices.rows().iter().map(|row| row.id.as_str()).collect();
            assert_eq!(ids.len(), prices.rows().len());
            prices.rows().iter().for_each(assert_priced);
        }
    }
}

/// What a catalogue offers is priced by the row that it makes, each model once; of every other entry
/// it is said why it is not.
pub(super) fn catalogue(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = Catalogue::parse(text);
    assert_eq!(read, Catalogue::parse(text));
    let catalogue = match read {
        Err(faults) => return assert_faults(&faults),
        Ok(catalogue) => catalogue,
    };
    for skipped in &catalogue.skipped {
        assert!(!skipped.reason.is_empty(), "{skipped:?}");
    }
    let row = |offer: &Offer| offer.row("2026-11-24", "2026-11-24", "catalogue.json");
    let rows: Vec<Value> = catalogue.offers.iter().map(row).collect();
    let list = json!({ "version": 1, "prices": rows }).to_string();
    let prices = Prices::parse(&list).unwrap_or_else(|faults| panic!("{list}\n{faults}"));
    assert_eq!(prices.rows().len(), catalogue.offers.len());
    for (row, offer) in prices.rows().iter().zip(&catalogue.offers) {
        assert_eq!((row.model.as_str(), row.free), (offer.model.as_str(), offer.free));
        assert_stated(&row.rates, &offer.rates);
        let tiers = row.long_context.zip(offer.long_context.as_ref());
        assert_eq!(row.long_context.is_some(), tiers.is_some());
        assert!(tiers.is_none_or(|(ours, theirs)| ours.above_tokens == theirs.above_tokens));
        tiers.iter().for_each(|(ours, theirs)| assert_stated(&ours.rates, &theirs.rates));
        let batches = row.batch.zip(offer.batch.as_ref());
        assert_eq!(row.batch.is_some(), batches.is_some());
        batches.iter().for_each(|(ours, theirs)| assert_stated(&ours.rates, &theirs.rates));
        assert_priced(row);
    }
}

fn assert_stated(rates: &Rates, stated: &StatedRates) {
    for (dimension, rate) in stated {
        assert_eq!(rates.rate(*dimension), *rate, "{dimension}");
    }
}

/// Every class of tokens costs something, unless the row is free or there are no such tokens.
fn assert_priced(row: &PriceRow) {
    let tiers = [row.long_context, row.batch.and_then(|batch| batch.long_context)];
    let tiers = tiers.into_iter().flatten().map(|tier| tier.rates);
    for rates in [Some(row.rates), row.batch.map(|batch| batch.rates)].into_iter().flatten().chain(tiers) {
        for (name, dimension) in Dimension::NAMES {
            let is_output = matches!(dimension, Dimension::Output | Dimension::ReasoningOutput);
            let costs_nothing = row.free || (row.embeds && is_output);
            assert_eq!(rates.rate(*dimension) == 0, costs_nothing, "{name} of {}", row.id);
        }
    }
}

fn assert_faults(faults: &ConfigErrors) {
    assert!(!faults.0.is_empty());
    for fault in &faults.0 {
        assert!(!fault.path.is_empty() && !fault.message.is_empty(), "{fault:?}");
    }
}
