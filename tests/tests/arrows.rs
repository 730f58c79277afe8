//! The house as its sources show it: imports run one way, every dependency has its reason, and no
//! file is too long to read.

use std::fs;
use std::path::{Path, PathBuf};

/// What a layer of `shared` may name of the crate, itself included.
const LAYERS: &[(&str, &[&str])] = &[
    ("domain", &["domain", "config"]),
    ("protocol", &["domain", "protocol"]),
    ("config", &["config"]),
    ("ports.rs", &["domain", "protocol", "config"]),
    ("ports", &["domain", "protocol", "config"]),
    ("app", &["domain", "protocol", "config", "ports", "app"]),
    ("aws", &["domain", "protocol", "config", "ports", "client", "clock", "signing", "aws"]),
    ("providers", &["domain", "protocol", "config", "ports", "client", "signing", "providers"]),
    ("memory", &["domain", "protocol", "config", "ports", "memory"]),
    ("sinks", &["domain", "config", "ports", "signing", "sinks"]),
    ("embed", &["domain", "config", "ports", "embed"]),
    ("vectors", &["domain", "protocol", "config", "ports", "client", "aws", "vectors"]),
    ("http", &["domain", "protocol", "config", "ports", "http"]),
    ("client.rs", &["config"]),
    ("signing.rs", &["domain"]),
    ("clock.rs", &["domain", "ports"]),
    ("log.rs", &["config"]),
];
/// The vocabulary that the domain shares with the configuration; the rest of it is the operator's.
const DOMAIN_MAY_TAKE: &[&str] = &["BatchPrice", "LongContext", "ModelName", "Prices", "Rates"];
const FUNCTIONS: &[&str] = &["chat", "usage", "admin", "cache", "indexer", "alerts"];
const LINES_MAX: usize = 500;
/// Folders that hold what others wrote or what builds leave behind.
const SKIPPED: &[&str] = &["target", "node_modules"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file at or below `path`, with its text.
fn sources(path: &Path) -> Vec<(PathBuf, String)> {
    if path.is_file() {
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        return if is_rust { vec![(path.to_path_buf(), read(path))] } else { Vec::new() };
    }
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let entries = entries.map(|entry| entry.expect("a readable folder").path());
    let kept = entries.filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !path.is_symlink() && !name.starts_with('.') && !SKIPPED.contains(&name.as_ref())
    });
    kept.flat_map(|path| sources(&path)).collect()
}

/// The code of `text`, without whole-line comments.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// The words that follow `prefix` wherever it begins a path.
fn words_after<'a>(text: &'a str, prefix: &str) -> Vec<&'a str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let starts = text.match_indices(prefix).filter(|(at, _)| !text[..*at].ends_with(is_word));
    let rests = starts.map(|(at, _)| &text[at + prefix.len()..]);
    rests.map(|rest| rest.split(|c| !is_word(c)).next().unwrap_or_default()).collect()
}

/// Modules of the crate that `text` names and its layer may not.
fn strays<'a>(allowed: &[&str], text: &'a str) -> Vec<&'a str> {
    // An empty word is `crate::{..}`, whose members would go unseen.
    words_after(text, "crate::").into_iter().filter(|module| !allowed.contains(module)).collect()
}

/// What `text` takes of the configuration beyond the shared vocabulary.
fn taken_of_config(text: &str) -> Vec<String> {
    let uses = text.split("crate::config::").skip(1);
    let names = uses.flat_map(|rest| {
        let (list, _) = rest.split_once([';', '\n', '(', '<']).unwrap_or((rest, ""));
        list.trim_matches(['{', '}']).split(", ").map(str::to_owned).collect::<Vec<_>>()
    });
    names.filter(|name| !DOMAIN_MAY_TAKE.contains(&name.as_str())).collect()
}

#[test]
fn the_layers_of_shared_import_one_way() {
    let folder = root().join("shared/src");
    for (layer, allowed) in LAYERS {
        for (path, text) in sources(&folder.join(layer)) {
            let strays = strays(allowed, &code(&text)).join(", ");
            assert!(strays.is_empty(), "{} may not import {strays}", path.display());
        }
    }
}

#[test]
fn every_part_of_shared_has_its_arrows() {
    let entries = fs::read_dir(root().join("shared/src")).expect("the sources");
    for entry in entries {
        let name = entry.expect("readable").file_name().to_string_lossy().into_owned();
        let known = LAYERS.iter().any(|(layer, _)| *layer == name);
        assert!(known || name == "lib.rs", "shared/src/{name} is in no layer");
    }
}

#[test]
fn the_domain_takes_names_and_prices_of_the_configuration() {
    for (path, text) in sources(&root().join("shared/src/domain")) {
        let taken = taken_of_config(&code(&text));
        assert!(taken.is_empty(), "{} takes {taken:?} of the configuration", path.display());
    }
}

#[test]
fn the_checks_see_what_they_are_for() {
    let domain = LAYERS[0].1;
    assert_eq!(strays(domain, "use crate::app::serve;"), ["app"]);
    assert_eq!(strays(domain, "fn f(x: crate::ports::Chunk) {}"), ["ports"]);
    assert_eq!(strays(domain, "use crate::{ports, app};"), [""]);
    assert_eq!(strays(domain, &code("// crate::app\nuse crate::domain::money;")), Vec::<&str>::new());
    assert_eq!(taken_of_config("use crate::config::{ModelName, Config};"), ["Config"]);
    assert_eq!(taken_of_config("use crate::config::ModelName;"), Vec::<String>::new());
    assert_eq!(words_after("use chat::handle; use other_chat::x;", "chat::"), ["handle"]);
}

#[test]
fn shared_does_not_know_that_it_runs_on_lambda() {
    let manifest = read(&root().join("shared/Cargo.toml"));
    assert!(!manifest.contains("lambda_"), "shared/Cargo.toml names a Lambda runtime crate");
    for (path, text) in sources(&root().join("shared/src")) {
        let text = code(&text);
        for name in ["lambda_runtime::", "lambda_http::"] {
            assert_eq!(words_after(&text, name), Vec::<&str>::new(), "{} names {name}", path.display());
        }
    }
}

#[test]
fn functions_do_not_import_each_other() {
    for function in FUNCTIONS {
        let manifest = read(&root().join(format!("functions/{function}/Cargo.toml")));
        for other in FUNCTIONS.iter().chain(&["local"]).filter(|other| *other != function) {
            let depends = manifest.lines().any(|line| {
                line.starts_with(&format!("{other}.")) || line.starts_with(&format!("{other} ="))
            });
            assert!(!depends, "functions/{function} depends on {other}");
        }
    }
}

#[test]
fn every_function_is_known_to_these_tests() {
    for entry in fs::read_dir(root().join("functions")).expect("the functions") {
        let name = entry.expect("readable").file_name().to_string_lossy().into_owned();
        assert!(name == "local" || FUNCTIONS.contains(&name.as_str()), "functions/{name} is in no list");
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = read(&root().join("Cargo.toml"));
    let (_, rest) = manifest.split_once("[workspace.dependencies]\n").expect("the section");
    let section = rest.split("\n[").next().unwrap_or_default();
    let entries = section.lines().filter(|line| !line.is_empty() && !line.contains("path ="));
    let mut seen = 0;
    for line in entries {
        let reason = line.split_once(" # ").map_or("", |(_, reason)| reason.trim());
        assert!(!reason.is_empty(), "no reason: {line}");
        seen += 1;
    }
    assert!(seen > 20, "only {seen} dependencies were read");
}

#[test]
fn no_file_is_too_long_to_read() {
    let files = sources(&root());
    assert!(files.len() > 100, "only {} files were read", files.len());
    for (path, text) in files {
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines", path.display());
    }
}
