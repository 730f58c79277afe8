//! JSON Schemas, made to say what a vendor wants stated.

use serde_json::{Map, Value, json};

/// Members whose own members are schemas by name, whatever the names are.
const NAMED: &[&str] = &["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];
/// Members that hold values and no schema.
const VALUES: &[&str] = &["const", "default", "enum", "examples", "required"];

/// The parameters of a tool. Anthropic and Bedrock refuse a schema that does not say that they are
/// an object.
pub(super) fn parameters(schema: Option<&Value>) -> Value {
    let mut members = match schema {
        Some(Value::Object(members)) => members.clone(),
        Some(other) => return other.clone(),
        None => Map::new(),
    };
    if !members.contains_key("type") {
        members.insert("type".to_owned(), json!("object"));
    }
    Value::Object(members)
}

/// Says of every object that it has no further members. Anthropic and Bedrock refuse the schema of
/// an answer that leaves it open, and an answer that fits the closed one fits the open one as well.
pub(super) fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("type").is_some_and(is_object) && !members.contains_key("additionalProperties") {
                members.insert("additionalProperties".to_owned(), json!(false));
            }
            for (name, member) in members {
                match member {
                    Value::Object(named) if NAMED.contains(&name.as_str()) => {
                        named.values_mut().for_each(close)
                    }
                    member if !VALUES.contains(&name.as_str()) => close(member),
                    _ => {}
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// One of several types may be the object.
fn is_object(kind: &Value) -> bool {
    let is_it = |kind: &Value| kind == "object";
    is_it(kind) || kind.as_array().is_some_and(|kinds| kinds.iter().any(is_it))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(mut schema: Value) -> Value {
        close(&mut schema);
        schema
    }

    #[test]
    fn every_object_is_closed_and_no_value_is() {
        let schema = json!({
            "type": "object",
            "properties": {
                "a": { "type": ["object", "null"] },
                "list": { "type": "array", "items": { "anyOf": [{ "type": "object" }, { "type": "string" }] } },
                "fixed": { "enum": [{ "type": "object" }], "default": { "type": "object" } },
                "open": { "type": "object", "additionalProperties": true },
            },
            "$defs": { "d": { "type": "object" } },
        });
        let expected = json!({
            "type": "object", "additionalProperties": false,
            "properties": {
                "a": { "type": ["object", "null"], "additionalProperties": false },
                "list": { "type": "array", "items": { "anyOf": [{ "type": "object", "additionalProperties": false }, { "type": "string" }] } },
                "fixed": { "enum": [{ "type": "object" }], "default": { "type": "object" } },
                "open": { "type": "object", "additionalProperties": true },
            },
            "$defs": { "d": { "type": "object", "additionalProperties": false } },
        });
        assert_eq!(closed(schema), expected);
    }

    #[test]
    fn members_may_be_called_like_words_of_the_schema() {
        let schema =
            json!({ "properties": { "default": { "type": "object" }, "type": { "type": "string" } } });
        let expected = json!({
            "properties": { "default": { "type": "object", "additionalProperties": false }, "type": { "type": "string" } },
        });
        assert_eq!(closed(schema), expected);
    }

    #[test]
    fn parameters_are_an_object() {
        assert_eq!(parameters(None), json!({ "type": "object" }));
        let members = json!({ "properties": { "a": {} } });
        assert_eq!(parameters(Some(&members))["type"], "object");
        let typed = json!({ "type": "object", "properties": {} });
        assert_eq!(parameters(Some(&typed)), typed);
    }
}
