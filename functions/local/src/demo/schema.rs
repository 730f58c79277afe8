//! An example document for a JSON schema: just enough for tool arguments and structured answers.

use std::cell::Cell;

use serde_json::{Map, Value, json};

/// Bounds the work on schemas that refer to themselves.
const MAX_NODES: u32 = 10_000;
/// From this depth on, optional recursion ends: a null branch is preferred and arrays stay empty.
const DEEP: u32 = 6;
const MAX_DEPTH: u32 = 64;

/// The smallest document that fits `schema`: required properties only, `"demo"` for strings and
/// 1 for numbers unless the schema says otherwise.
pub(super) fn example(schema: &Value) -> Value {
    Generator { root: schema, nodes_left: Cell::new(MAX_NODES) }.value(schema, 0)
}

struct Generator<'a> {
    root: &'a Value,
    nodes_left: Cell<u32>,
}

impl Generator<'_> {
    fn value(&self, schema: &Value, depth: u32) -> Value {
        let left = self.nodes_left.get();
        if left == 0 || depth > MAX_DEPTH {
            return Value::Null;
        }
        self.nodes_left.set(left - 1);
        if let Some(fixed) = schema.get("const").or_else(|| schema.pointer("/enum/0")) {
            return fixed.clone();
        }
        if let Some(target) = self.referenced(schema) {
            return self.value(target, depth + 1);
        }
        if let Some(branch) = branch(schema, depth) {
            return self.value(branch, depth + 1);
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.merged(parts, depth);
        }
        match type_of(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "integer" | "number" => number(schema),
            "boolean" => Value::Bool(true),
            "null" => Value::Null,
            _ => Value::String(string(schema)),
        }
    }

    fn referenced(&self, schema: &Value) -> Option<&Value> {
        let reference = schema.get("$ref")?.as_str()?;
        self.root.pointer(reference.strip_prefix('#')?)
    }

    fn object(&self, schema: &Value, depth: u32) -> Value {
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let mut document = Map::new();
        for name in required.filter_map(Value::as_str) {
            let property = schema.get("properties").and_then(|all| all.get(name));
            let value = self.value(property.unwrap_or(&Value::Null), depth + 1);
            document.insert(name.to_owned(), value);
        }
        Value::Object(document)
    }

    fn array(&self, schema: &Value, depth: u32) -> Value {
        let usual = if depth < DEEP { 1 } else { 0 };
        let most = schema.get("maxItems").and_then(Value::as_u64).unwrap_or(u64::MAX);
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
        let count = usual.min(most).max(least).min(u64::from(self.nodes_left.get()));
        let items = schema.get("items").unwrap_or(&Value::Null);
        (0..count).map(|_| self.value(items, depth + 1)).collect()
    }

    fn merged(&self, parts: &[Value], depth: u32) -> Value {
        let mut merged = Map::new();
        for part in parts {
            match self.value(part, depth + 1) {
                Value::Object(members) => merged.extend(members),
                other => return other,
            }
        }
        Value::Object(merged)
    }
}

fn branch(schema: &Value, depth: u32) -> Option<&Value> {
    let branches = schema.get("anyOf").or_else(|| schema.get("oneOf"))?.as_array()?;
    let null = branches.iter().find(|branch| type_of(branch) == "null");
    null.filter(|_| depth >= DEEP).or_else(|| branches.first())
}

fn type_of(schema: &Value) -> &str {
    let named = schema.get("type").and_then(|named| match named {
        Value::Array(names) => names.first()?.as_str(),
        name => name.as_str(),
    });
    let implied = || match schema {
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    };
    named.unwrap_or_else(implied)
}

fn number(schema: &Value) -> Value {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let least = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|least| least + 1.0));
    let most = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|most| most - 1.0));
    let value = 1.0_f64.max(least.unwrap_or(f64::MIN)).min(most.unwrap_or(f64::MAX));
    if value.fract() == 0.0 && value.abs() < 1e15 { json!(value as i64) } else { json!(value) }
}

fn string(schema: &Value) -> String {
    match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => return "2026-01-01T00:00:00Z".to_owned(),
        Some("date") => return "2026-01-01".to_owned(),
        Some("time") => return "00:00:00Z".to_owned(),
        Some("email") => return "demo@example.com".to_owned(),
        Some("uri") => return "https://example.com/demo".to_owned(),
        Some("uuid") => return "00000000-0000-4000-8000-000000000000".to_owned(),
        _ => {}
    }
    let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
    let length = 4.max(bound("minLength").unwrap_or(0)).min(bound("maxLength").unwrap_or(1024));
    "demo".chars().cycle().take(length.min(1024) as usize).collect()
}
