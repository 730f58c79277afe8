//! What `config/prices.json` says.

use super::super::Config;
use super::super::names::Named;
use super::super::rates::Dimension;
use super::*;

fn shipped() -> Prices {
    Prices::parse(include_str!("../../../config/prices.json")).expect("shipped prices are valid")
}

#[test]
fn the_shipped_prices_are_those_of_the_shipped_models() {
    let prices = shipped();
    let rates = |row: &PriceRow| {
        let input = [row.rates.input, row.rates.cache_read];
        let writes = [row.rates.cache_write_5m, row.rates.cache_write_1h];
        (row.model.clone(), input, writes, row.rates.output)
    };
    let expected = [
        ("openai/gpt-4o", [2_500_000, 1_250_000], [2_500_000; 2], 10_000_000),
        ("openai/gpt-4o-mini", [150_000, 75_000], [150_000; 2], 600_000),
        ("anthropic/claude-3-5-sonnet", [3_000_000, 300_000], [3_750_000, 6_000_000], 15_000_000),
        ("meta/llama-3.1-70b", [720_000; 2], [720_000; 2], 720_000),
        ("demo/embed", [100_000; 2], [100_000; 2], 0),
        ("demo/*", [1_000_000; 2], [1_000_000; 2], 2_000_000),
        ("local/smollm2", [100_000; 2], [100_000; 2], 200_000),
    ];
    let expected = expected.map(|(model, input, writes, output)| (model.to_owned(), input, writes, output));
    let shipped: Vec<_> = prices.rows().iter().map(rates).collect();
    for row in expected {
        assert!(shipped.contains(&row), "{row:?}");
    }
    for row in prices.rows() {
        assert_eq!(row.id, format!("{}@{}", row.model, row.valid_from));
    }
}

/// Rates of the newest shipped row of `model`: input, output, cache read, cache writes.
fn shipped_rates(prices: &Prices, model: &str) -> [i64; 5] {
    let rows = prices.rows().iter().filter(|row| row.model == model);
    let row = rows.max_by_key(|row| &row.valid_from).unwrap_or_else(|| panic!("no row for {model}"));
    let writes = [row.rates.cache_write_5m, row.rates.cache_write_1h];
    [row.rates.input, row.rates.output, row.rates.cache_read, writes[0], writes[1]]
}

#[test]
fn the_shipped_names_of_one_model_have_one_price() {
    let prices = shipped();
    for (alias, id) in [
        ("anthropic/claude-3-5-haiku", "anthropic/claude-3-5-haiku-20241022"),
        ("anthropic/claude-3-7-sonnet", "anthropic/claude-3-7-sonnet-20250219"),
        ("anthropic/claude-haiku-4-5", "anthropic/claude-haiku-4-5-20251001"),
        ("anthropic/claude-haiku-4-5", "bedrock/global.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("anthropic/claude-opus-4-5", "anthropic/claude-opus-4-5-20251101"),
        ("anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5-20250929"),
        ("anthropic/claude-sonnet-4-5", "bedrock/global.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("openai/gpt-5.6", "openai/gpt-5.6-sol"),
        ("anthropic/claude-haiku-5-5", "bedrock/global.anthropic.claude-haiku-5-5"),
        ("anthropic/claude-sonnet-4-6", "bedrock/global.anthropic.claude-sonnet-4-6"),
        ("anthropic/claude-sonnet-5-5", "bedrock/global.anthropic.claude-sonnet-5-5"),
        ("anthropic/claude-opus-4-6", "bedrock/global.anthropic.claude-opus-4-6-v1"),
        ("anthropic/claude-opus-4-8", "bedrock/global.anthropic.claude-opus-4-8"),
        ("anthropic/claude-opus-5-5", "bedrock/global.anthropic.claude-opus-5-5"),
        ("mistral/mistral-large-latest", "mistral/mistral-large-2512"),
        ("mistral/mistral-medium-latest", "mistral/mistral-medium-2604"),
        ("mistral/mistral-small-latest", "mistral/mistral-small-2603"),
        ("meta/llama-3.1-8b", "bedrock/meta.llama3-1-8b-instruct-v1:0"),
        ("meta/llama-3.1-70b", "bedrock/meta.llama3-1-70b-instruct-v1:0"),
        ("meta/llama-3.3-70b", "bedrock/meta.llama3-3-70b-instruct-v1:0"),
        ("mistral/ministral-8b-latest", "mistral/ministral-8b-2512"),
        ("local/smollm2", "local-messages/smollm2"),
    ] {
        assert_eq!(shipped_rates(&prices, alias), shipped_rates(&prices, id), "{alias} and {id}");
    }
}

#[test]
fn a_shipped_regional_profile_costs_a_tenth_more_than_the_global_one() {
    let prices = shipped();
    let profiles = prices.rows().iter().filter_map(|row| row.model.strip_prefix("bedrock/global."));
    for id in profiles {
        let global = shipped_rates(&prices, &format!("bedrock/global.{id}"));
        // A bare id is answered in its own region.
        for region in ["us.", "eu.", ""] {
            let regional = shipped_rates(&prices, &format!("bedrock/{region}{id}"));
            assert_eq!(regional.map(|rate| rate * 10), global.map(|rate| rate * 11), "{region}{id}");
        }
    }
}

#[test]
fn the_shipped_cache_rates_of_claude_follow_the_vendors_rule() {
    let prices = shipped();
    for row in prices.rows().iter().filter(|row| row.model.contains("claude")) {
        let [input, output, read, write_5m, write_1h] = shipped_rates(&prices, &row.model);
        assert_eq!((write_5m * 4, write_1h, output), (input * 5, input * 2, input * 5), "{}", row.model);
        assert!(read * 10 <= input, "{}", row.model);
    }
}

/// Every model that a configuration names in its routes.
fn routed(text: &str) -> Vec<String> {
    let config = Config::parse(text).expect("a valid configuration");
    config.routing.chain().map(ToString::to_string).collect()
}

#[test]
fn every_model_of_the_documented_and_the_shipped_configuration_has_a_price() {
    let prices = shipped();
    for text in [include_str!("documented.json"), include_str!("../../../config/ai-gateway.json")] {
        let models = routed(text);
        assert_eq!(models.len(), 3);
        for model in models {
            // Rows may begin in the future, so a price that is to come is not enough.
            let priced = prices.rows().iter().any(|row| row.model == model && row.valid_from <= row.checked);
            assert!(priced, "{model} has no price");
        }
    }
}

#[test]
fn the_shipped_prices_cover_the_providers_that_need_no_configuration() {
    let prices = shipped();
    for (provider, at_least) in
        [("openai", 24), ("anthropic", 20), ("google", 12), ("mistral", 10), ("bedrock", 45), ("meta", 3)]
    {
        let mut models: Vec<&str> = prices.rows().iter().map(|row| row.model.as_str()).collect();
        models.retain(|model| model.split_once('/').is_some_and(|(name, _)| name == provider));
        models.sort_unstable();
        models.dedup();
        assert!(models.len() >= at_least, "{provider} has {}", models.len());
    }
}

#[test]
fn a_shipped_price_never_falls_with_the_length_of_the_input() {
    for row in shipped().rows() {
        let Some(tier) = row.long_context else { continue };
        assert!(tier.above_tokens < row.context_window, "{} is never long", row.id);
        for (name, dimension) in Dimension::NAMES {
            let rates = (row.rates.rate(*dimension), tier.rates.rate(*dimension));
            assert!(rates.0 < rates.1, "{name} of {}: {rates:?}", row.id);
        }
    }
}

#[test]
fn a_shipped_batch_costs_no_more_than_a_direct_attempt() {
    for row in shipped().rows() {
        let Some(batch) = row.batch else { continue };
        for dimension in [Dimension::Input, Dimension::Output, Dimension::ReasoningOutput] {
            assert_eq!(batch.rates.rate(dimension) * 2, row.rates.rate(dimension), "{}", row.id);
        }
        for (name, dimension) in Dimension::NAMES {
            let dearer = batch.rates.rate(*dimension) > row.rates.rate(*dimension);
            // A cache read that has no price of its own in a batch has that of its input.
            let defaulted = *dimension == Dimension::CacheRead && batch.rates.cache_read == batch.rates.input;
            assert!(!dearer || defaulted, "{name} of {}", row.id);
        }
    }
}

#[test]
fn the_shipped_models_that_charge_for_cache_writes_unasked_are_marked() {
    for row in shipped().rows() {
        let charges = row.rates.cache_write_5m > row.rates.input;
        let asked = row.model.contains("claude");
        assert_eq!(row.writes_cache_unasked, charges && !asked, "{}", row.id);
    }
}
