//! JSON from outside, read strictly: duplicate keys and deep nesting are refused, because two
//! readers that disagree about a duplicate would price one request and send another.

use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};

/// Levels of arrays and objects that a body may nest.
pub const DEPTH_MAX: u32 = 64;

/// Why a body was not read; the text names the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault(pub String);

/// What is wrong with a document and where, for logs: without a word of what it says, which the message
/// of the error itself may quote.
pub fn unquoted(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // Only names of our own fields are missing.
    let what = match error.classify() {
        Category::Data if text.starts_with("missing field") => return text,
        Category::Data => "a value of another type",
        Category::Syntax => "no JSON",
        Category::Eof => "cut off",
        Category::Io => "not readable",
    };
    match error.line() {
        0 => what.to_owned(),
        line => format!("{what} at line {line} column {}", error.column()),
    }
}

/// Reads a body that must be one JSON object.
///
/// # Errors
/// [`JsonFault`] for bad syntax, duplicate keys, nesting beyond [`DEPTH_MAX`], or a value that is
/// not an object.
pub fn parse_object(body: &[u8]) -> Result<Map<String, Value>, JsonFault> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = Strict { depth: 0 }.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match value.map_err(|error| JsonFault(error.to_string()))? {
        Value::Object(object) => Ok(object),
        _ => Err(JsonFault("the body must be a JSON object".to_owned())),
    }
}

struct Strict {
    depth: u32,
}

impl Strict {
    fn inside<E: de::Error>(&self) -> Result<Strict, E> {
        match self.depth < DEPTH_MAX {
            true => Ok(Strict { depth: self.depth + 1 }),
            false => Err(E::custom(format!("nested deeper than {DEPTH_MAX} levels"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self.inside()?)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(de::Error::custom(format!("duplicate key {key:?}")));
            }
            let value = entries.next_value_seed(self.inside()?)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(body: &str) -> String {
        parse_object(body.as_bytes()).expect_err(body).0
    }

    #[test]
    fn what_is_wrong_is_said_without_a_quotation() {
        #[derive(Debug, serde::Deserialize)]
        struct Wanted {
            #[expect(dead_code, reason = "it is read and not looked at")]
            list: Vec<u8>,
        }
        for (text, said) in [
            (r#"{"list": "hush"}"#, "a value of another type at line 1 column 15"),
            (r#"{"list": ["hush"]}"#, "a value of another type at line 1 column 16"),
            (r#"{"hush"}"#, "no JSON at line 1 column 8"),
            (r#"{"list": [1"#, "cut off at line 1 column 11"),
            ("{}", "missing field `list` at line 1 column 2"),
        ] {
            assert_eq!(unquoted(&serde_json::from_str::<Wanted>(text).expect_err("wrong")), said, "{text}");
        }
    }

    #[test]
    fn an_object_is_read_as_it_stands() {
        let body = r#"{"b":[1,-2,0.5,null,true,"é"],"a":{"z":{},"y":{}}}"#;
        assert_eq!(Value::Object(parse_object(body.as_bytes()).expect("valid")).to_string(), body);
    }

    #[test]
    fn duplicates_are_refused_at_every_level() {
        assert!(fault(r#"{"model":"a","model":"b"}"#).contains("duplicate key \"model\""));
        assert!(fault(r#"{"a":[{"b":1,"b":2}]}"#).contains("duplicate key \"b\""));
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse_object(nested(60).as_bytes()).is_ok());
        assert!(fault(&nested(65)).contains("nested deeper"));
        assert!(fault(&nested(5000)).contains("nested deeper"));
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        for body in ["", "[]", "1", "{", r#"{"a":1}{"#, r#"{"a":NaN}"#, r#"{"a":1e999}"#, r#"{"a":"\ud800"}"#]
        {
            fault(body);
        }
        assert!(parse_object(b"{\"a\":\"\xff\"}").is_err());
    }
}
