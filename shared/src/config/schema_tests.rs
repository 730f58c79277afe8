//! The JSON Schema and the parser must know the same keys, names, bounds and defaults.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::names::Named;
use super::*;

const SCHEMA: &str = include_str!("../../../config/ai-gateway.schema.json");

/// Every object of the document with the parser's table of its keys; `*` is a name the operator
/// chooses, `[]` an element of a list.
const TABLES: &[(&str, &[&str])] = &[
    ("", KEYS),
    ("gateway", gateway::KEYS),
    ("cache", cache::KEYS),
    ("cache.routes.*", cache::ROUTE_KEYS),
    ("cache.store", vector_store::KEYS),
    ("cache.store.hnsw", vector_store::HNSW_KEYS),
    ("routing", routing::KEYS),
    ("routing.circuit_breaker", routing::BREAKER_KEYS),
    ("billing", billing::KEYS),
    ("observability", observability::KEYS),
    ("providers.*", providers::KEYS),
    ("rag", rag::KEYS),
    ("tenants.*", tenants::KEYS),
    ("alerts", alerts::KEYS),
    ("alerts.webhooks[]", sinks::WEBHOOK_KEYS),
    ("alerts.slack[]", sinks::SLACK_KEYS),
    ("alerts.pagerduty[]", sinks::PAGERDUTY_KEYS),
    ("alerts.sns[]", sinks::SNS_KEYS),
    ("alerts.quiet_hours[]", sinks::QUIET_KEYS),
];

fn schema() -> Value {
    serde_json::from_str(SCHEMA).expect("the schema is JSON")
}

/// Calls `visit` with the path and the schema of every value of the document.
fn walk(path: &str, schema: &Value, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, schema);
    for (key, inner) in object(schema, "properties") {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        walk(&path, inner, visit);
    }
    if let Some(inner) = schema.get("additionalProperties").filter(|inner| inner.is_object()) {
        walk(&format!("{path}.*"), inner, visit);
    }
    if let Some(inner) = schema.get("items") {
        walk(&format!("{path}[]"), inner, visit);
    }
}

fn object<'a>(schema: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    schema.get(key).and_then(Value::as_object).into_iter().flatten()
}

#[test]
fn the_schema_and_the_parser_know_the_same_keys() {
    let mut of_schema = BTreeMap::new();
    walk("", &schema(), &mut |path, schema| {
        if schema.get("properties").is_some() {
            let keys: BTreeSet<String> = object(schema, "properties").map(|(key, _)| key.clone()).collect();
            of_schema.insert(path.to_owned(), keys);
        }
    });
    let set = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
    let of_parser = TABLES.iter().map(|(path, keys)| ((*path).to_owned(), set(keys)));
    assert_eq!(of_schema, of_parser.collect());
}

#[test]
fn every_key_is_described_and_no_object_takes_others() {
    walk("", &schema(), &mut |path, schema| {
        let description = schema["description"].as_str().unwrap_or_default();
        assert!(description.ends_with('.'), "{path} has no description");
        if schema.get("properties").is_some() {
            assert_eq!(schema["additionalProperties"], json!(false), "{path} takes other keys");
        }
    });
}

#[test]
fn the_schema_and_the_parser_know_the_same_names() {
    fn names<T: Named>() -> Vec<&'static str> {
        T::NAMES.iter().map(|(name, _)| *name).collect()
    }
    let mut of_schema = BTreeMap::new();
    walk("", &schema(), &mut |path, schema| {
        let names = schema.get("enum").map(|names| json!(names));
        of_schema.extend(names.map(|names| (path.to_owned(), names)));
    });
    let of_parser = [
        ("alerts.pagerduty[].min_severity", names::<MinSeverity>()),
        ("alerts.slack[].min_severity", names::<MinSeverity>()),
        ("alerts.sns[].min_severity", names::<MinSeverity>()),
        ("alerts.webhooks[].min_severity", names::<MinSeverity>()),
        ("cache.profile", names::<CacheProfile>()),
        ("cache.provider", names::<CacheProvider>()),
        ("cache.routes.*.profile", names::<CacheProfile>()),
        ("cache.routes.*.semantic", names::<SemanticMode>()),
        ("cache.scope", names::<CacheScope>()),
        ("cache.semantic", names::<SemanticMode>()),
        ("observability.log_level", names::<LogLevel>()),
        ("observability.metrics[]", names::<Metric>()),
        ("providers.*.dialect", names::<Dialect>()),
        ("rag.provider", names::<RagProvider>()),
    ];
    let of_parser = of_parser.map(|(path, names)| (path.to_owned(), json!(names)));
    assert_eq!(of_schema, BTreeMap::from(of_parser));
}

/// The document `{"a": {"b": value}}` for the path `a.b`.
fn document(path: &str, value: &Value) -> Value {
    let keys = path.rsplit('.');
    keys.fold(value.clone(), |inner, key| Value::Object(Map::from_iter([(key.to_owned(), inner)])))
}

#[test]
fn the_defaults_of_the_schema_are_those_of_the_parser() {
    let mut defaults = 0;
    walk("", &schema(), &mut |path, schema| {
        if let Some(default) = schema.get("default").filter(|_| !path.contains('*')) {
            let text = document(path, default).to_string();
            assert_eq!(Config::parse(&text), Ok(Config::default()), "{path}");
            defaults += 1;
        }
    });
    assert_eq!(defaults, 40);
}

#[test]
fn the_bounds_of_the_schema_are_those_of_the_parser() {
    let accepts = |path: &str, value: Value| Config::parse(&document(path, &value).to_string()).is_ok();
    let mut bounds = 0;
    walk("", &schema(), &mut |path, schema| {
        let path = path.replace("timeouts.*", "timeouts.openai/o1").replace("routes.*", "routes.openai/o1");
        let path = path.replace('*', "acme");
        let split: Vec<&str> = path.split(".openai/o1").collect();
        let at = |value: Value| match split[..] {
            [map, ""] => accepts(map, json!({"openai/o1": value})),
            [map, key] => accepts(map, json!({"openai/o1": document(&key[1..], &value)})),
            _ => accepts(&path, value),
        };
        if let (Some(low), Some(high)) = (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
            let inside = [low, high].map(|bound| at(json!(bound)));
            let outside = [low - 1, high + 1].map(|beyond| at(json!(beyond)));
            assert_eq!((inside, outside), ([true; 2], [false; 2]), "{path}");
            bounds += 1;
        }
    });
    assert_eq!(bounds, 15);
}
