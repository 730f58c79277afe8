use serde_json::{Value, json};

use super::*;

fn row() -> Value {
    json!({
        "id": "openai/gpt-4o@2024-10-02", "model": "openai/gpt-4o", "valid_from": "2024-10-02",
        "unit": "usd_micro_per_mtok", "input": 2_500_000, "cache_read": 1_250_000, "output": 10_000_000,
        "context_window": 128_000, "max_output_tokens": 16_384, "source": "https://example.com", "checked": "2026-11-23"
    })
}

/// The row with `changes` applied; a null takes the key away.
fn changed(changes: Value) -> Value {
    let mut row = row();
    let fields = row.as_object_mut().expect("a row is an object");
    for (key, value) in changes.as_object().expect("changes are an object") {
        match value {
            Value::Null => drop(fields.remove(key)),
            value => drop(fields.insert(key.clone(), value.clone())),
        }
    }
    row
}

fn parse(rows: &[Value]) -> Result<Prices, ConfigErrors> {
    Prices::parse(&json!({"version": 1, "prices": rows}).to_string())
}

fn faults(rows: &[Value]) -> String {
    parse(rows).expect_err("refused").to_string()
}

#[test]
fn a_rate_the_file_leaves_out_is_that_of_fresh_input() {
    let prices = parse(&[row()]).expect("valid");
    let row = &prices.rows()[0];
    assert_eq!(row.rates.cache_read, 1_250_000);
    let defaulted = [row.rates.cache_write_5m, row.rates.cache_write_1h, row.rates.audio, row.rates.image];
    assert_eq!(defaulted, [2_500_000; 4]);
    assert_eq!((row.image_tokens_max, row.reasoning, row.free), (None, false, false));
    assert_eq!((row.long_context, row.batch, row.writes_cache_unasked), (None, None, false));
    assert_eq!((row.rates.reasoning_output, row.rates.reasoning_rate()), (None, 10_000_000));
}

#[test]
fn a_tier_and_a_batch_have_their_own_rates_and_defaults() {
    let batch = json!({"input": 1, "cache_read": 2, "output": 3, "reasoning_output": 4});
    let tier = json!({"above_tokens": 200_000, "input": 10, "output": 20, "cache_read": 5});
    let prices = parse(&[changed(json!({"long_context": tier, "batch": batch}))]).expect("valid");
    let row = &prices.rows()[0];
    let tier = row.long_context.expect("a tier");
    let batch = row.batch.expect("batches");
    assert_eq!((tier.above_tokens, tier.rates.cache_read, tier.rates.image), (200_000, 5, 10));
    assert_eq!((batch.rates.audio, batch.rates.reasoning_rate()), (1, 4));
    // Long requests of a batch have no price of their own here, so they have that of direct ones.
    assert_eq!(batch.long_context, row.long_context);
    let own = json!({"input": 1, "output": 3, "long_context": {"above_tokens": 7, "input": 2, "output": 6}});
    let prices = parse(&[changed(json!({"batch": own}))]).expect("valid");
    let batch = prices.rows()[0].batch.expect("batches");
    assert_eq!(batch.long_context.map(|tier| (tier.above_tokens, tier.rates.output)), Some((7, 6)));
}

#[test]
fn a_model_that_embeds_has_no_output() {
    let row = changed(json!({"embeds": true, "output": null, "max_output_tokens": null}));
    let prices = parse(&[row]).expect("valid");
    let row = &prices.rows()[0];
    assert_eq!((row.embeds, row.rates.output, row.max_output_tokens), (true, 0, 0));
}

/// Changes to a valid row, and the one fault each leads to.
const FAULTS: &[(&str, &str)] = &[
    (r#"{"input": -1}"#, "input: must be a whole number from 0 to 1000000000000, is -1"),
    (r#"{"input": 2.5}"#, "input: must be a whole number from 0 to 1000000000000, is 2.5"),
    (r#"{"input": "1"}"#, "input: must be a whole number from 0 to 1000000000000, is a string"),
    (r#"{"output": 1e18}"#, "output: must be a whole number from 0 to 1000000000000, is 1e+18"),
    (r#"{"output": null}"#, "output: is missing"),
    (r#"{"output": 0}"#, "output: is 0, but the row is not marked \"free\": true"),
    (r#"{"cache_read": 0}"#, "cache_read: is 0, but the row is not marked \"free\": true"),
    (r#"{"unit": "usd_per_mtok"}"#, "unit: must be \"usd_micro_per_mtok\""),
    (r#"{"unit": null}"#, "unit: is missing"),
    (r#"{"valid_from": "2024-02-30"}"#, "valid_from: must be a date, YYYY-MM-DD"),
    (r#"{"checked": null}"#, "checked: is missing"),
    (r#"{"source": ""}"#, "source: must have 1 to 200 characters, none of them a control"),
    (r#"{"model": "gpt-4o"}"#, "model: must name its provider, such as openai/gpt-4o"),
    (r#"{"model": "openai/gpt-*"}"#, "model: a wildcard is written provider/*"),
    (r#"{"model": "a/b/*"}"#, "model: a wildcard is written provider/*"),
    (r#"{"model": "*/*"}"#, "model: a wildcard is written provider/*"),
    (r#"{"model": "/*"}"#, "model: must be provider/model with neither part empty"),
    (r#"{"context_window": null}"#, "context_window: is missing"),
    (r#"{"max_output_tokens": 128001}"#, "max_output_tokens: must not be above context_window"),
    (r#"{"image_tokens_max": 5}"#, "image_tokens_basis: must say how image_tokens_max was computed"),
    (r#"{"embeds": true, "max_output_tokens": null}"#, "output: is not for a model that embeds"),
    (r#"{"reasoning_output": 0}"#, "reasoning_output: is 0, but the row is not marked \"free\": true"),
    (r#"{"writes_cache_unasked": 1}"#, "writes_cache_unasked: must be true or false, is a number"),
    (r#"{"long_context": []}"#, "long_context: must be an object, is a list"),
    (r#"{"long_context": {"input": 1, "output": 1}}"#, "long_context.above_tokens: is missing"),
    (r#"{"long_context": {"above_tokens": 1, "input": 1}}"#, "long_context.output: is missing"),
    (r#"{"batch": {"output": 1}}"#, "batch.input: is missing"),
    (
        r#"{"batch": {"input": 1, "output": 0}}"#,
        "batch.output: is 0, but the row is not marked \"free\": true",
    ),
    (
        r#"{"batch": {"input": 1, "output": 1, "long_context": {"above_tokens": 0, "input": 1, "output": 1}}}"#,
        "batch.long_context.above_tokens: must be a whole number from 1 to 1000000000, is 0",
    ),
    (r#"{"outputs": 1}"#, "outputs: \"outputs\" is not a known key; the nearest known name is \"output\""),
];

#[test]
fn each_fault_of_a_row_is_refused_with_its_place() {
    for (changes, expected) in FAULTS {
        let changes = serde_json::from_str(changes).expect(changes);
        assert_eq!(faults(&[changed(changes)]), format!("prices[0].{expected}"));
    }
    assert_eq!(faults(&[json!(5)]), "prices[0]: must be an object, is a number");
    assert!(!faults(&[json!({}), json!({})]).contains("earlier row"));
}

#[test]
fn a_free_row_costs_nothing_at_all() {
    let free = json!({"free": true, "input": 0, "output": 0, "cache_read": null});
    let prices = parse(&[changed(free)]).expect("free");
    assert_eq!(prices.rows()[0].rates.cache_read, 0);
    let faults = faults(&[changed(json!({"free": true, "input": 0, "output": 0}))]);
    assert_eq!(faults, "prices[0].cache_read: is not 0, but the row is marked free");
}

#[test]
fn duplicate_rows_and_all_other_faults_are_reported_together() {
    let text = faults(&[row(), row(), changed(json!({"id": "x", "input": -1}))]);
    let expected = [
        "prices[1].id: \"openai/gpt-4o@2024-10-02\" names an earlier row",
        "prices[1].model: \"openai/gpt-4o@2024-10-02\" already prices this model from this day",
        "prices[2].input: must be a whole number from 0 to 1000000000000, is -1",
        "prices[2].model: \"openai/gpt-4o@2024-10-02\" already prices this model from this day",
    ];
    assert_eq!(text, expected.join("\n"));
}

#[test]
fn a_price_list_states_its_version_and_its_rows() {
    for (text, expected) in [
        ("{}", "prices: is missing\nversion: is missing"),
        (r#"{"version": 2, "prices": []}"#, "version: must be a whole number from 1 to 1, is 2"),
        (r#"{"version": 1, "prices": {}}"#, "prices: must be a list, is an object"),
        ("[]", "$: must be an object, is a list"),
    ] {
        assert_eq!(Prices::parse(text).expect_err(text).to_string(), expected);
    }
}
