//! The pieces of OTLP's JSON: 64-bit numbers are text in it.

use serde_json::{Value, json};

pub(super) fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

pub(super) fn int(key: &str, value: u64) -> Value {
    json!({ "key": key, "value": { "intValue": value.to_string() } })
}

pub(super) fn boolean(key: &str, value: bool) -> Value {
    json!({ "key": key, "value": { "boolValue": value } })
}

pub(super) fn texts(key: &str, values: &[&str]) -> Value {
    let values: Vec<Value> = values.iter().map(|value| json!({ "stringValue": value })).collect();
    json!({ "key": key, "value": { "arrayValue": { "values": values } } })
}

/// Who speaks.
pub(super) fn scope() -> Value {
    json!({ "name": "tollgate", "version": env!("CARGO_PKG_VERSION") })
}
