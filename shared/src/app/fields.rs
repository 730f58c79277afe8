//! Fields that several bodies of the gateway's own routes share.

use serde_json::Value;

use crate::config::ModelName;
use crate::domain::money::{MoneyError, NanoUsd};
use crate::protocol::fields::{BadRequest, Fields};

/// Dollars, as a decimal string or a number.
pub(super) fn amount(fields: &mut Fields, field: &str) -> Result<Option<NanoUsd>, BadRequest> {
    let path = fields.path(field);
    let wrong = |why: String| BadRequest::new(&path, format!("{path}: {why}"));
    let text = match fields.value(field) {
        None => return Ok(None),
        Some(Value::String(text)) => text,
        // The shortest text of a JSON number is what was meant: 1.5 is "1.5".
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => {
            return Err(wrong("expected a decimal string of dollars such as \"1.50\"".to_owned()));
        }
    };
    text.parse().map(Some).map_err(|error: MoneyError| wrong(error.to_string()))
}

/// Something a minute.
pub(super) fn limit(fields: &mut Fields, field: &str) -> Result<Option<i64>, BadRequest> {
    const LIMIT_MAX: u64 = 1 << 40;
    Ok(fields.whole(field, 1, LIMIT_MAX)?.and_then(|limit| i64::try_from(limit).ok()))
}

/// A list of model names.
pub(super) fn models(fields: &mut Fields) -> Result<Option<Vec<String>>, BadRequest> {
    let Some(items) = fields.array("models")? else {
        return Ok(None);
    };
    let read = |(index, item): (usize, &Value)| {
        let path = format!("models[{index}]");
        let name: Option<ModelName> = item.as_str().and_then(|name| name.parse().ok());
        name.map(|name| name.to_string()).ok_or_else(|| {
            BadRequest::new(&path, format!("{path} must be a model name such as openai/gpt-4o"))
        })
    };
    items.iter().enumerate().map(read).collect::<Result<Vec<String>, BadRequest>>().map(Some)
}
