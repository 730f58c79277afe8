//! `tollgate prices` as a person or a script runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

/// A folder of its own for each test, emptied before.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("prices").join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn tollgate(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.arg("prices").args(words).current_dir(folder).output().expect("tollgate runs")
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}

fn why(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Two models that can be priced, of which one has a long-context tier and batches, a free one, and
/// one that answers no chats.
const CATALOGUE: &str = r#"{
    "sample_spec": {"mode": "one of: chat, embedding"},
    "gpt-5": {"litellm_provider": "openai", "mode": "chat", "max_input_tokens": 272000,
        "max_output_tokens": 128000, "input_cost_per_token": 1.25e-06, "output_cost_per_token": 1e-05,
        "cache_read_input_token_cost": 1.25e-07, "supports_reasoning": true},
    "gemini/gemini-2.5-pro": {"litellm_provider": "gemini", "mode": "chat", "max_input_tokens": 1048576,
        "max_output_tokens": 65536, "input_cost_per_token": 1.25e-06, "output_cost_per_token": 1e-05,
        "input_cost_per_token_above_200k_tokens": 2.5e-06, "output_cost_per_token_above_200k_tokens": 1.5e-05,
        "input_cost_per_token_batches": 6.25e-07, "output_cost_per_token_batches": 5e-06},
    "gift": {"litellm_provider": "openai", "mode": "chat", "max_input_tokens": 1000, "max_output_tokens": 1000,
        "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
    "rerank-v3": {"litellm_provider": "cohere", "mode": "rerank", "input_cost_per_query": 0.002}
}"#;

fn with_catalogue(test: &str) -> PathBuf {
    let folder = folder(test);
    fs::write(folder.join("catalogue.json"), CATALOGUE).expect("written");
    folder
}

#[test]
fn a_catalogue_is_imported_into_a_list_that_the_other_commands_read() {
    let folder = with_catalogue("import");
    let done = tollgate(&folder, &["import", "catalogue.json", "--valid-from", "2026-01-01"]);
    assert_eq!(done.status.code(), Some(0), "{}", why(&done));
    let expected = [
        "skipped rerank-v3: its mode is \"rerank\"",
        "skipped gift: every price is 0; --free imports such models and marks them free",
        "2 imported, 2 skipped: prices.json has 2 rows",
    ];
    assert_eq!(text(&done).trim_end(), expected.join("\n"));
    let list: Value = serde_json::from_str(&fs::read_to_string(folder.join("prices.json")).expect("written"))
        .expect("JSON");
    let row = &list["prices"][1];
    assert_eq!(row["id"], "google/gemini-2.5-pro@2026-01-01");
    assert_eq!(
        row["long_context"],
        json!({"above_tokens": 200_000, "input": 2_500_000, "output": 15_000_000})
    );
    assert_eq!(row["batch"], json!({"input": 625_000, "output": 5_000_000}));
    let listed = tollgate(&folder, &["list", "--prices", "prices.json", "--json"]);
    let listed = document(&listed);
    let models: Vec<&str> =
        listed["prices"].as_array().expect("rows").iter().filter_map(|row| row["model"].as_str()).collect();
    assert_eq!(models, ["google/gemini-2.5-pro", "openai/gpt-5"]);
    assert_eq!(listed["prices"][1]["rates"]["cache_read"], "0.125");
    let same = tollgate(&folder, &["diff", "catalogue.json", "--prices", "prices.json"]);
    assert_eq!((same.status.code(), text(&same).trim_end()), (Some(0), "2 models compared, 0 differences."));
}

#[test]
fn an_import_keeps_every_row_and_can_be_narrowed() {
    let folder = with_catalogue("again");
    let first = tollgate(&folder, &["import", "catalogue.json", "--provider", "google", "--json"]);
    let first = document(&first);
    assert_eq!((first["rows"].as_u64(), first["skipped"].as_array().map(Vec::len)), (Some(1), Some(0)));
    let before: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("prices.json")).expect("written"))
            .expect("JSON");
    let dearer = CATALOGUE.replace("1.25e-06", "2e-06");
    fs::write(folder.join("dearer.json"), dearer).expect("written");
    let second = tollgate(&folder, &["import", "dearer.json", "--free", "--json"]);
    let second = document(&second);
    let imported = second["imported"].as_array().expect("ids");
    assert_eq!((imported.len(), second["rows"].as_u64()), (2, Some(3)));
    let known =
        json!({"entry": "gemini/gemini-2.5-pro", "reason": "google/gemini-2.5-pro has a row already"});
    assert!(second["skipped"].as_array().expect("a list").contains(&known), "{second}");
    let after: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("prices.json")).expect("written"))
            .expect("JSON");
    assert_eq!((&after["prices"][0], &after["prices"][2]["free"]), (&before["prices"][0], &json!(true)));
}

#[test]
fn drift_is_told_by_model_and_rate_and_ends_with_1() {
    let folder = with_catalogue("drift");
    tollgate(&folder, &["import", "catalogue.json", "--valid-from", "2026-01-01"]);
    let drifted = CATALOGUE
        .replace("1.25e-07", "1.5e-07")
        .replace(" 5e-06", " 5.5e-06")
        .replace("above_200k", "above_128k")
        .replace("\"gpt-5\"", "\"gpt-5-renamed\"");
    fs::write(folder.join("drifted.json"), drifted).expect("written");
    let found = tollgate(&folder, &["diff", "drifted.json", "--prices", "prices.json", "--json"]);
    assert_eq!(found.status.code(), Some(1));
    let found = document(&found);
    assert_eq!((&found["compared"], &found["unlisted"]), (&json!(1), &json!(["openai/gpt-5"])));
    let drift = |dimension: &str, unit: &str, ours: &str, theirs: &str, percent: &str, review: bool| {
        json!({
            "model": "google/gemini-2.5-pro", "priceId": "google/gemini-2.5-pro@2026-01-01", "dimension": dimension,
            "unit": unit, "ours": ours, "theirs": theirs, "percent": percent, "review": review,
        })
    };
    let expected = json!([
        drift("long_context.above_tokens", "tokens", "200000", "128000", "-36.0", true),
        drift("batch.output", "usd_per_mtok", "5", "5.5", "+10.0", false),
    ]);
    assert_eq!(found["drift"], expected);
    let told = tollgate(&folder, &["diff", "drifted.json", "--prices", "prices.json"]);
    let told = text(&told);
    assert!(told.contains("google/gemini-2.5-pro  batch.output               5       5.5"), "{told}");
    assert!(told.contains("Not in the catalogue: openai/gpt-5."), "{told}");
}

#[test]
fn a_change_above_a_fifth_is_marked_for_review() {
    let folder = with_catalogue("review");
    tollgate(&folder, &["import", "catalogue.json", "--provider", "openai", "--valid-from", "2026-01-01"]);
    for (cost, percent, review) in
        [("1.2e-05", "+20.0", false), ("1.21e-05", "+21.0", true), ("7.9e-06", "-21.0", true)]
    {
        fs::write(folder.join("now.json"), CATALOGUE.replace("1e-05", cost)).expect("written");
        let found = document(&tollgate(&folder, &["diff", "now.json", "--prices", "prices.json", "--json"]));
        let drift = &found["drift"][0];
        assert_eq!((&drift["percent"], &drift["review"]), (&json!(percent), &json!(review)), "{cost}");
    }
}

#[test]
fn what_cannot_be_used_ends_with_2_and_leaves_the_list_alone() {
    let folder = with_catalogue("wrong");
    fs::write(folder.join("broken.json"), "[]").expect("written");
    fs::write(folder.join("prices.json"), "{}").expect("written");
    for words in [
        &["diff"] as &[&str],
        &["diff", "absent.json"],
        &["diff", "broken.json"],
        &["diff", "catalogue.json", "--prices", "prices.json"],
        &["import", "absent.json"],
        &["import", "broken.json"],
        &["import", "catalogue.json"],
        &["import", "catalogue.json", "--output", "new.json", "--valid-from", "tomorrow"],
        &["list", "--prices", "prices.json"],
        &["sell"],
    ] {
        let refused = tollgate(&folder, words);
        assert_eq!(refused.status.code(), Some(2), "{words:?}: {}", why(&refused));
        assert!(!why(&refused).is_empty() && refused.stdout.is_empty(), "{words:?}");
    }
    assert_eq!(fs::read_to_string(folder.join("prices.json")).expect("there"), "{}");
    assert!(!folder.join("new.json").exists());
}

#[test]
fn without_a_list_of_its_own_the_built_in_prices_are_shown() {
    let listed = tollgate(&folder("built-in"), &["list"]);
    assert_eq!(listed.status.code(), Some(0), "{}", why(&listed));
    assert!(text(&listed).lines().any(|line| line.starts_with("openai/gpt-4o ")));
}
