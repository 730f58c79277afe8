//! The header `anthropic-beta`, which says which of its betas a request of Messages is written for.

use http::HeaderMap;
use serde_json::Value;

const NAME: &str = "anthropic-beta";

/// The header as a field of the request: the names it lists, in one value or in several.
pub(crate) fn field(headers: &HeaderMap) -> Option<(String, Value)> {
    let values = headers.get_all(NAME).into_iter().filter_map(|value| value.to_str().ok());
    let names = values.flat_map(|value| value.split(',')).map(str::trim).filter(|name| !name.is_empty());
    let names: Vec<Value> = names.map(Value::from).collect();
    (!names.is_empty()).then(|| (NAME.to_owned(), Value::Array(names)))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_name_of_every_value_is_listed() {
        let mut headers = HeaderMap::new();
        assert_eq!(field(&headers), None);
        headers.append(NAME, HeaderValue::from_static("a, b"));
        headers.append(NAME, HeaderValue::from_static("c,"));
        assert_eq!(field(&headers), Some((NAME.to_owned(), json!(["a", "b", "c"]))));
    }
}
