//! What a catalogue says of one model, and the price row that it makes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::model_name::ModelName;
use super::super::price_row::UNIT;
use super::super::rates::{Dimension, PRICE_MAX, TOKENS_MAX};
use super::entry::Entry;
use super::{Skipped, costs, names};

/// The rates that are stated, in micro-dollars per million tokens. What is not stated is not here.
pub type StatedRates = BTreeMap<Dimension, i64>;

/// The rates of long inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedTier {
    /// More input tokens than these make a request long.
    pub above_tokens: u64,
    /// Those of input and output always, the others where stated.
    pub rates: StatedRates,
}

/// The rates of batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedBatch {
    /// Those of input and output always, the others where stated.
    pub rates: StatedRates,
    /// Those of long inputs in a batch.
    pub long_context: Option<StatedTier>,
}

/// One model that can be priced. No rate is 0 unless all of them are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What the catalogue calls it.
    pub entry: String,
    /// What price lists call it.
    pub model: ModelName,
    /// Those of input and output always, the others where stated.
    pub rates: StatedRates,
    /// Those of long inputs.
    pub long_context: Option<StatedTier>,
    /// Those of batches.
    pub batch: Option<StatedBatch>,
    /// Tokens the model can take at least: the larger of its limits of input and output.
    pub context_window: u64,
    /// Tokens of one answer; none for a model that embeds.
    pub max_output_tokens: Option<u64>,
    /// The model can reason before it answers.
    pub reasoning: bool,
    /// Every price is 0.
    pub free: bool,
    /// The page that the catalogue names as its source.
    pub source: Option<String>,
}

impl Offer {
    /// # Errors
    /// Why the entry cannot be priced.
    pub(super) fn read(name: &str, text: &str) -> Result<Offer, Skipped> {
        let skipped = |provider: Option<&str>, reason: String| Skipped {
            entry: name.to_owned(),
            provider: provider.map(str::to_owned),
            reason,
        };
        let entry = Entry::read(text).map_err(|reason| skipped(None, reason))?;
        let Some(listed) = entry.text("litellm_provider") else {
            return Err(skipped(None, "names no provider".to_owned()));
        };
        let offer = Offer::of(name, &listed, &entry);
        offer.map_err(|reason| skipped(Some(names::provider(&listed)), reason))
    }

    fn of(name: &str, listed: &str, entry: &Entry) -> Result<Offer, String> {
        let embeds = embeds(entry)?;
        let model = names::model(name, listed)?;
        let searches = listed == "perplexity" || name.contains("search");
        if searches && entry.has("search_context_cost_per_query") {
            return Err("charges for searches, which no rate of tokens covers".to_owned());
        }
        if let Some(what) = costs::unpriced(entry) {
            return Err(format!("charges for {what}, which no rate of tokens covers"));
        }
        let rates = base(entry, embeds)?;
        let free = rates.values().all(|rate| *rate == 0);
        let (context_window, max_output_tokens) = limits(entry, embeds)?;
        let long_context = if free { None } else { tier(entry, &rates, false, embeds)? };
        let batch = if free { None } else { batch(entry, &rates, embeds)? };
        Ok(Offer {
            entry: name.to_owned(),
            model,
            rates,
            long_context,
            batch,
            context_window,
            max_output_tokens,
            reasoning: !embeds && entry.is_true("supports_reasoning"),
            free,
            source: entry.text("source").filter(|source| is_printable(source)),
        })
    }

    /// Any input can cost a cache write. Claude writes where it is asked to; of the others that
    /// state a price of writing, none says that it waits to be asked.
    pub fn writes_cache_unasked(&self) -> bool {
        let writes = [Dimension::CacheWrite5m, Dimension::CacheWrite1h];
        writes.iter().any(|write| self.rates.contains_key(write)) && !self.model.as_str().contains("claude")
    }

    /// The row of a price list that says the same, valid from `valid_from` and read on `checked`,
    /// both `YYYY-MM-DD`. `file` is where the catalogue was read.
    pub fn row(&self, valid_from: &str, checked: &str, file: &str) -> Value {
        let mut row = Map::new();
        row.insert("id".to_owned(), json!(format!("{}@{valid_from}", self.model)));
        row.insert("model".to_owned(), json!(self.model.as_str()));
        row.insert("valid_from".to_owned(), json!(valid_from));
        row.insert("unit".to_owned(), json!(UNIT));
        state(&mut row, &self.rates);
        let marks = [("writes_cache_unasked", self.writes_cache_unasked()), ("free", self.free)];
        row.extend(marks.into_iter().filter(|(_, is)| *is).map(|(key, is)| (key.to_owned(), json!(is))));
        if let Some(tier) = &self.long_context {
            row.insert("long_context".to_owned(), tier.section());
        }
        if let Some(batch) = &self.batch {
            row.insert("batch".to_owned(), batch.section());
        }
        row.insert("context_window".to_owned(), json!(self.context_window));
        match self.max_output_tokens {
            Some(tokens) => {
                row.insert("max_output_tokens".to_owned(), json!(tokens));
                row.insert("reasoning".to_owned(), json!(self.reasoning));
            }
            None => drop(row.insert("embeds".to_owned(), json!(true))),
        }
        row.insert("source".to_owned(), json!(self.source.as_deref().unwrap_or(file)));
        row.insert("checked".to_owned(), json!(checked));
        row.insert("note".to_owned(), json!(format!("Read from {} in {file}", self.entry)));
        Value::Object(row)
    }
}

impl StatedTier {
    fn section(&self) -> Value {
        let mut section = Map::new();
        section.insert("above_tokens".to_owned(), json!(self.above_tokens));
        state(&mut section, &self.rates);
        Value::Object(section)
    }
}

impl StatedBatch {
    fn section(&self) -> Value {
        let mut section = Map::new();
        state(&mut section, &self.rates);
        if let Some(tier) = &self.long_context {
            section.insert("long_context".to_owned(), tier.section());
        }
        Value::Object(section)
    }
}

fn state(section: &mut Map<String, Value>, rates: &StatedRates) {
    section.extend(rates.iter().map(|(dimension, rate)| (dimension.name().to_owned(), json!(rate))));
}

/// Whether the entry is of a model that embeds.
fn embeds(entry: &Entry) -> Result<bool, String> {
    match entry.text("mode").as_deref() {
        Some("chat" | "responses") => Ok(false),
        Some("embedding") => Ok(true),
        Some(mode) => Err(format!("its mode is {:?}", mode.chars().take(40).collect::<String>())),
        None => Err("has no mode".to_owned()),
    }
}

/// The rates of every request: with input, and with output unless the model embeds.
fn base(entry: &Entry, embeds: bool) -> Result<StatedRates, String> {
    let mut rates = costs::stated(entry, None, false)?;
    let needed: &[(Dimension, &str)] = match embeds {
        true => &[(Dimension::Input, "input_cost_per_token")],
        false => &[(Dimension::Input, "input_cost_per_token"), (Dimension::Output, "output_cost_per_token")],
    };
    if let Some((_, key)) = needed.iter().find(|(dimension, _)| !rates.contains_key(dimension)) {
        return Err(format!("has no {key}"));
    }
    fit(&mut rates, embeds);
    if rates.values().all(|rate| *rate == 0) {
        rates.retain(|dimension, _| matches!(dimension, Dimension::Input | Dimension::Output));
        return Ok(rates);
    }
    if let Some((_, key)) = needed.iter().find(|(dimension, _)| rates.get(dimension) == Some(&0)) {
        return Err(format!("{key} is 0 beside prices that are not"));
    }
    // What costs nothing has the rate of input here, which is never too little.
    rates.retain(|_, rate| *rate != 0);
    Ok(rates)
}

/// The rates of long inputs, where the entry has one threshold for them. What it does not say of
/// their input and output is what it says of short ones.
fn tier(entry: &Entry, base: &StatedRates, batch: bool, embeds: bool) -> Result<Option<StatedTier>, String> {
    let thresholds = costs::thresholds(entry);
    if thresholds.len() > 1 {
        return Err("has more than one threshold for long inputs".to_owned());
    }
    let Some(above_tokens) = thresholds.first().copied() else {
        return Ok(None);
    };
    let mut rates = costs::stated(entry, Some(above_tokens), batch)?;
    fit(&mut rates, embeds);
    rates.retain(|_, rate| *rate != 0);
    if rates.is_empty() {
        return Ok(None);
    }
    for dimension in [Dimension::Input, Dimension::Output] {
        if let Some(rate) = base.get(&dimension) {
            rates.entry(dimension).or_insert(*rate);
        }
    }
    fill_writes(&mut rates, base);
    Ok(Some(StatedTier { above_tokens, rates }))
}

/// The rates of batches, where the entry has those of input and output.
fn batch(entry: &Entry, base: &StatedRates, embeds: bool) -> Result<Option<StatedBatch>, String> {
    let mut rates = costs::stated(entry, None, true)?;
    fit(&mut rates, embeds);
    rates.retain(|_, rate| *rate != 0);
    let whole = rates.contains_key(&Dimension::Input) && (embeds || rates.contains_key(&Dimension::Output));
    if !whole {
        return Ok(None);
    }
    fill_writes(&mut rates, base);
    let long_context = tier(entry, &rates, true, embeds)?;
    Ok(Some(StatedBatch { rates, long_context }))
}

/// A cache write that `rates` do not state costs as many times their input as it does in `base`:
/// left out, it would have the rate of input, which is too little.
fn fill_writes(rates: &mut StatedRates, base: &StatedRates) {
    let input = |rates: &StatedRates| rates.get(&Dimension::Input).copied().map(i128::from);
    let (Some(ours), Some(theirs)) = (input(rates), input(base).filter(|rate| *rate > 0)) else { return };
    for dimension in [Dimension::CacheWrite5m, Dimension::CacheWrite1h] {
        if let Some(write) = base.get(&dimension) {
            let rate = (i128::from(*write) * ours + theirs - 1) / theirs;
            let rate = i64::try_from(rate).unwrap_or(PRICE_MAX).min(PRICE_MAX);
            rates.entry(dimension).or_insert(rate);
        }
    }
}

/// A model that embeds has no output.
fn fit(rates: &mut StatedRates, embeds: bool) {
    if embeds {
        rates.retain(|dimension, _| !matches!(dimension, Dimension::Output | Dimension::ReasoningOutput));
    }
}

/// The window and the longest answer.
fn limits(entry: &Entry, embeds: bool) -> Result<(u64, Option<u64>), String> {
    let tokens = |key| entry.tokens(key, TOKENS_MAX);
    let input = tokens("max_input_tokens");
    if embeds {
        let window = input.or_else(|| tokens("max_tokens")).ok_or("has no max_input_tokens")?;
        return Ok((window, None));
    }
    let input = input.ok_or("has no max_input_tokens")?;
    let output = tokens("max_output_tokens").ok_or("has no max_output_tokens")?;
    Ok((input.max(output), Some(output)))
}

/// Whether a price list takes `text` as its source.
fn is_printable(text: &str) -> bool {
    (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}
