use serde_json::{Value, json};

use super::super::prices::Prices;
use super::super::rates::Dimension;
use super::*;

/// A catalogue of one entry, `name`, whose JSON is `fields`.
fn read(name: &str, fields: &str) -> Result<Offer, String> {
    let text = format!("{{{}: {{{fields}}}}}", json!(name));
    let mut catalogue = Catalogue::parse(&text).expect("a catalogue");
    match catalogue.offers.pop() {
        Some(offer) => Ok(offer),
        None => Err(catalogue.skipped.pop().expect("skipped").reason),
    }
}

const CHAT: &str = r#""litellm_provider": "openai", "mode": "chat", "max_input_tokens": 272000,
    "max_output_tokens": 128000, "input_cost_per_token": 1.25e-06, "output_cost_per_token": 0.00001"#;

fn chat(more: &str) -> Result<Offer, String> {
    read("gpt-5", &format!("{CHAT}{more}"))
}

fn rates(stated: &StatedRates) -> Vec<(&'static str, i64)> {
    stated.iter().map(|(dimension, rate)| (dimension.name(), *rate)).collect()
}

#[test]
fn an_entry_is_read_digit_by_digit() {
    let offer = chat(r#", "cache_read_input_token_cost": 0.000000125, "supports_reasoning": true"#);
    let offer = offer.expect("priced");
    assert_eq!(offer.model.as_str(), "openai/gpt-5");
    let stated = [("input", 1_250_000), ("cache_read", 125_000), ("output", 10_000_000)];
    assert_eq!(rates(&offer.rates), stated);
    assert_eq!((offer.context_window, offer.max_output_tokens), (272_000, Some(128_000)));
    assert_eq!((offer.reasoning, offer.free, offer.writes_cache_unasked()), (true, false, false));
    assert_eq!((offer.long_context, offer.batch), (None, None));
}

#[test]
fn long_inputs_and_batches_are_read_with_what_they_state() {
    let offer = chat(
        r#", "input_cost_per_token_above_200k_tokens": 2.5e-06, "cache_creation_input_token_cost": 2e-6,
        "cache_creation_input_token_cost_above_1hr": 3e-6,
        "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 4e-6,
        "input_cost_per_token_batches": 6.25e-07, "output_cost_per_token_batches": 5e-06,
        "input_cost_per_token_above_200k_tokens_batches": 1.25e-06,
        "input_cost_per_token_priority": 9e-06, "input_cost_per_token_above_200k_tokens_priority": 9e-06"#,
    );
    let offer = offer.expect("priced");
    let tier = offer.long_context.clone().expect("a tier");
    assert_eq!(tier.above_tokens, 200_000);
    // What is not said of cache writes keeps its relation to input, 1.6 and 2.4 times here.
    let writes = |five: i64, hour: i64| [("cache_write_5m", five), ("cache_write_1h", hour)];
    let stated = |input, [five, hour]: [(&'static str, i64); 2], output| {
        vec![("input", input), five, hour, ("output", output)]
    };
    assert_eq!(rates(&tier.rates), stated(2_500_000, writes(4_000_000, 4_000_000), 10_000_000));
    let batch = offer.batch.clone().expect("batches");
    assert_eq!(rates(&batch.rates), stated(625_000, writes(1_000_000, 1_500_000), 5_000_000));
    let tier = batch.long_context.expect("a tier");
    assert_eq!(rates(&tier.rates), stated(1_250_000, writes(2_000_000, 3_000_000), 5_000_000));
    assert!(offer.writes_cache_unasked());
}

#[test]
fn providers_and_models_have_the_names_of_price_lists() {
    for (entry, listed, model) in [
        ("gpt-4o", "openai", "openai/gpt-4o"),
        ("ft:gpt-4o-2024-08-06", "openai", "openai/ft:gpt-4o-2024-08-06"),
        ("claude-opus-5-5", "anthropic", "anthropic/claude-opus-5-5"),
        ("gemini/gemini-2.5-pro", "gemini", "google/gemini-2.5-pro"),
        ("mistral/mistral-large-latest", "mistral", "mistral/mistral-large-latest"),
        ("us.anthropic.claude-opus-5", "bedrock_converse", "bedrock/us.anthropic.claude-opus-5"),
        ("bedrock/amazon.nova-lite-v1:0", "bedrock", "bedrock/amazon.nova-lite-v1:0"),
        ("gemini-2.5-pro", "vertex_ai-language-models", "vertex_ai/gemini-2.5-pro"),
        ("groq/meta-llama/llama-4", "groq", "groq/meta-llama/llama-4"),
    ] {
        let text = CHAT.replace("\"openai\"", &json!(listed).to_string());
        assert_eq!(read(entry, &text).expect(entry).model.as_str(), model);
    }
}

/// More fields of a valid entry, and why it is then skipped.
const SKIPPED: &[(&str, &str)] = &[
    (r#""mode": "rerank""#, "gives \"mode\" twice"),
    (r#""tiered_pricing": []"#, "charges for tiers by ranges of tokens, which no rate of tokens covers"),
    (r#""input_cost_per_request": 0.005"#, "charges for each request, which no rate of tokens covers"),
    (
        r#""output_cost_per_audio_token": 8e-05"#,
        "charges for audio in its answers, which no rate of tokens covers",
    ),
    (
        r#""input_cost_per_token_above_128k_tokens": 1e-6, "output_cost_per_token_above_200k_tokens": 1e-6"#,
        "has more than one threshold for long inputs",
    ),
    (
        r#""cache_read_input_token_cost": 1.25000000000001e-07"#,
        "cache_read_input_token_cost: must have at most 12 decimals",
    ),
    (r#""cache_read_input_token_cost": -1e-07"#, "cache_read_input_token_cost: must not be negative"),
    (
        r#""cache_read_input_token_cost": "1e-07""#,
        "cache_read_input_token_cost: must be a decimal number such as 0.50",
    ),
    (r#""cache_read_input_token_cost": 2"#, "cache_read_input_token_cost: is too large"),
];

#[test]
fn what_cannot_be_priced_is_skipped_with_its_reason() {
    for (more, reason) in SKIPPED {
        assert_eq!(chat(&format!(", {more}")), Err((*reason).to_owned()), "{more}");
    }
    for (from, to, reason) in [
        ("\"chat\"", "\"rerank\"", "its mode is \"rerank\""),
        ("\"mode\"", "\"moods\"", "has no mode"),
        ("\"litellm_provider\"", "\"provider\"", "names no provider"),
        ("\"max_input_tokens\": 272000", "\"max_tokens\": 1", "has no max_input_tokens"),
        ("\"max_output_tokens\"", "\"max_tokens\"", "has no max_output_tokens"),
        ("128000", "\"many\"", "has no max_output_tokens"),
        ("\"input_cost_per_token\"", "\"input_cost_per_second\"", "has no input_cost_per_token"),
        ("1.25e-06", "0", "input_cost_per_token is 0 beside prices that are not"),
        ("0.00001", "null", "has no output_cost_per_token"),
        ("\"openai\"", "\"open ai\"", "may have only ASCII letters, digits and . _ : / + @ -"),
    ] {
        let fields = CHAT.replace(from, to);
        let found = read("gpt-5", &fields).expect_err(reason);
        assert!(found.ends_with(reason), "{found}");
    }
    let regional = CHAT.replace("openai", "bedrock");
    let found = read("bedrock/us-east-1/anthropic.claude-v2", &regional);
    assert_eq!(found, Err("is the price of one region or of a commitment".to_owned()));
    let search = r#", "search_context_cost_per_query": {"search_context_size_low": 0.03}"#;
    assert!(chat(search).is_ok());
    assert!(read("gpt-4o-search-preview", &format!("{CHAT}{search}")).is_err());
}

#[test]
fn nothing_is_rounded_on_its_way_through_a_float() {
    // As a 64-bit float this would be 1e-07.
    let found = chat(r#", "cache_read_input_token_cost": 0.00000010000000000000000000000001"#);
    assert_eq!(found, Err("cache_read_input_token_cost: must have at most 12 decimals".to_owned()));
    let offer = chat(r#", "cache_read_input_token_cost": 0.000000123456000000000000000000"#);
    assert_eq!(offer.expect("priced").rates[&Dimension::CacheRead], 123_456);
}

#[test]
fn a_model_without_any_price_is_free_and_a_lone_zero_is_left_out() {
    let free = CHAT.replace("1.25e-06", "0.0").replace("0.00001", "0");
    let offer = read("m", &format!(r#"{free}, "cache_read_input_token_cost": 0"#)).expect("free");
    assert_eq!((offer.free, rates(&offer.rates)), (true, vec![("input", 0), ("output", 0)]));
    let offer = chat(r#", "cache_read_input_token_cost": 0.0"#).expect("priced");
    assert_eq!((offer.free, offer.rates.contains_key(&Dimension::CacheRead)), (false, false));
}

#[test]
fn a_model_that_embeds_has_no_output() {
    let offer = read(
        "text-embedding-3-small",
        r#""litellm_provider": "openai", "mode": "embedding", "max_input_tokens": 8191,
        "input_cost_per_token": 2e-08, "input_cost_per_token_batches": 1e-08, "output_cost_per_token": 0.0"#,
    );
    let offer = offer.expect("priced");
    assert_eq!((offer.max_output_tokens, rates(&offer.rates)), (None, vec![("input", 20_000)]));
    assert_eq!(offer.batch.map(|batch| rates(&batch.rates)), Some(vec![("input", 10_000)]));
}

#[test]
fn one_model_is_listed_once_and_the_specimen_never() {
    let text = format!(
        r#"{{"sample_spec": {{"mode": "one of"}}, "gemini/a": {{{}}}, "a": {{{}}}, "b": 5}}"#,
        CHAT.replace("openai", "gemini"),
        CHAT.replace("openai", "gemini")
    );
    let catalogue = Catalogue::parse(&text).expect("a catalogue");
    let offers: Vec<&str> = catalogue.offers.iter().map(|offer| offer.model.as_str()).collect();
    assert_eq!(offers, ["google/a"]);
    let skipped: Vec<String> =
        catalogue.skipped.iter().map(|skipped| format!("{} {}", skipped.entry, skipped.reason)).collect();
    assert_eq!(skipped, ["a is google/a like \"gemini/a\" above", "b is no object"]);
    assert_eq!(catalogue.skipped[0].provider.as_deref(), Some("google"));
    assert!(catalogue.offer("google/a").is_some() && catalogue.offer("google/b").is_none());
}

#[test]
fn what_is_no_catalogue_is_refused() {
    for text in ["", "[]", "{", "5", "{\"a\": 1e}"] {
        let refused = Catalogue::parse(text).expect_err(text).to_string();
        assert!(refused.starts_with("$: is no catalogue of prices: "), "{refused}");
    }
}

#[test]
fn every_offer_makes_a_row_that_the_price_list_reads_alike() {
    let text = format!(
        r#"{{"gpt-5": {{{CHAT}, "source": "https://example.com", "cache_creation_input_token_cost": 2e-6,
            "output_cost_per_token_above_272k_tokens": 1.5e-05, "input_cost_per_token_batches": 6e-07,
            "output_cost_per_token_batches": 5e-06, "output_cost_per_reasoning_token": 2e-05}},
        "e": {{"litellm_provider": "openai", "mode": "embedding", "max_tokens": 8191, "input_cost_per_token": 0}}}}"#
    );
    let catalogue = Catalogue::parse(&text).expect("a catalogue");
    let rows: Vec<Value> =
        catalogue.offers.iter().map(|offer| offer.row("2026-11-24", "2026-11-25", "prices.json")).collect();
    let prices = Prices::parse(&json!({"version": 1, "prices": rows}).to_string()).expect("accepted");
    let [row, free] = prices.rows() else { panic!("two rows") };
    assert_eq!((row.id.as_str(), row.checked.as_str()), ("openai/gpt-5@2026-11-24", "2026-11-25"));
    assert_eq!((row.source.as_str(), free.source.as_str()), ("https://example.com", "prices.json"));
    for (dimension, rate) in &catalogue.offers[0].rates {
        assert_eq!(row.rates.rate(*dimension), *rate);
    }
    let tier = row.long_context.expect("a tier");
    assert_eq!((tier.above_tokens, tier.rates.input, tier.rates.output), (272_000, 1_250_000, 15_000_000));
    assert_eq!(row.batch.expect("batches").rates.input, 600_000);
    assert!(row.writes_cache_unasked && free.free && free.embeds);
}
