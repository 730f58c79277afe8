//! Items: attribute values by hand, and whole documents through their JSON form.

use std::collections::HashMap;
use std::fmt::Display;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::ports::StoreError;
use crate::protocol::json::unquoted;

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn n(number: impl Display) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The primary key of an item.
pub(super) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    Item::from([("pk".to_owned(), s(pk)), ("sk".to_owned(), s(sk))])
}

/// # Errors
/// [`StoreError::Rejected`] naming the attribute that is missing or no text.
pub(super) fn text<'a>(item: &'a Item, name: &str) -> Result<&'a str, StoreError> {
    let found = item.get(name).and_then(|value| value.as_s().ok());
    found.map(String::as_str).ok_or_else(|| malformed(name))
}

/// A whole number. One beyond 64 bits reads as the nearest that fits, as saturating sums do.
///
/// # Errors
/// [`StoreError::Rejected`] naming the attribute that is missing or no whole number.
pub(super) fn int(item: &Item, name: &str) -> Result<i64, StoreError> {
    let found = item.get(name).and_then(|value| value.as_n().ok());
    let number: i128 = found.and_then(|text| text.parse().ok()).ok_or_else(|| malformed(name))?;
    let clamped = number.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    i64::try_from(clamped).map_err(|_| malformed(name))
}

pub(super) fn malformed(name: &str) -> StoreError {
    StoreError::Rejected(format!("a stored item has no readable attribute {name}"))
}

/// The attributes of anything that is a JSON object.
pub(super) fn to_item<T: Serialize>(document: &T) -> Result<Item, StoreError> {
    match to_value(document)? {
        AttributeValue::M(item) => Ok(item),
        _ => Err(StoreError::Rejected("not an object".to_owned())),
    }
}

pub(super) fn to_value<T: Serialize>(document: &T) -> Result<AttributeValue, StoreError> {
    let json = serde_json::to_value(document)
        .map_err(|error| StoreError::Rejected(format!("cannot be stored: {error}")))?;
    Ok(from_json(json))
}

/// The reverse of [`to_item`]. Attributes that the document does not know are skipped.
pub(super) fn from_item<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    let members = item.iter().map(|(name, value)| (name.clone(), to_json(value)));
    serde_json::from_value(Value::Object(members.collect()))
        .map_err(|error| StoreError::Rejected(format!("a stored item cannot be read: {}", unquoted(&error))))
}

fn from_json(json: Value) -> AttributeValue {
    match json {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(flag) => AttributeValue::Bool(flag),
        Value::Number(number) => n(number),
        Value::String(text) => s(text),
        Value::Array(list) => AttributeValue::L(list.into_iter().map(from_json).collect()),
        Value::Object(map) => {
            AttributeValue::M(map.into_iter().map(|(name, json)| (name, from_json(json))).collect())
        }
    }
}

fn to_json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::Bool(flag) => Value::Bool(*flag),
        AttributeValue::N(number) => number.parse().map_or(Value::Null, Value::Number),
        AttributeValue::S(text) => Value::String(text.clone()),
        AttributeValue::L(list) => Value::Array(list.iter().map(to_json).collect()),
        AttributeValue::M(item) => {
            let members = item.iter().map(|(name, value)| (name.clone(), to_json(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        // Nulls, and the types that no document of ours has.
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_round_trip() {
        let document = json!({
            "text": "a", "whole": 9_223_372_036_854_775_807_i64, "negative": -1, "none": null,
            "flag": true, "list": [1, "b", {"c": []}], "map": {}
        });
        let item = to_item(&document).expect("an object");
        assert_eq!(item["whole"], n(i64::MAX));
        assert_eq!(from_item::<Value>(&item), Ok(document));
    }

    #[test]
    fn a_missing_or_wrong_attribute_is_named() {
        let item = Item::from([("a".to_owned(), s("text"))]);
        assert!(int(&item, "a").unwrap_err().to_string().contains("attribute a"));
        assert!(text(&item, "b").unwrap_err().to_string().contains("attribute b"));
        assert_eq!(int(&Item::from([("c".to_owned(), n("99999999999999999999"))]), "c"), Ok(i64::MAX));
    }
}
