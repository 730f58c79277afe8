//! Reads the fields that reach Anthropic as they stand, once their price is known to be ours.

use serde_json::{Map, Value};

use super::field_list::{BETAS, FREE_EDITS, REFUSED, STANDARD_REGIONS, STANDARD_SPEEDS, STANDARD_TIERS};
use crate::protocol::fields::{BadRequest, Fields};
use crate::protocol::openai::options::cache_control;

const BETA: &str = "anthropic-beta";

/// # Errors
/// [`BadRequest`] naming a field whose cost the hold cannot bound.
pub(super) fn refuse_unpriced(fields: &mut Fields) -> Result<(), BadRequest> {
    for (name, instead) in REFUSED {
        if fields.value(name).is_some() {
            return Err(BadRequest::new(*name, format!("{name} is not supported: {instead}")));
        }
    }
    // Standard is what everybody gets who does not ask, so there is nothing to pass on.
    standard(fields, "speed", STANDARD_SPEEDS, "faster answers cost more than is known here").map(drop)
}

/// The neutral fields by their names, and the betas that may change a price apart from them.
pub(super) fn read(fields: &mut Fields) -> Result<[Map<String, Value>; 2], BadRequest> {
    let tier = standard(fields, "service_tier", STANDARD_TIERS, "other tiers have no price here")?;
    let region = standard(fields, "inference_geo", STANDARD_REGIONS, "other regions have other prices")?;
    let (known, unknown) = betas(fields)?;
    let neutral = [
        ("service_tier", tier),
        ("inference_geo", region),
        ("cache_control", automatic_caching(fields)?),
        ("context_management", context_management(fields)?),
        (BETA, known),
    ];
    Ok([collect(neutral), collect([(BETA, unknown)])])
}

fn collect<const N: usize>(found: [(&str, Option<Value>); N]) -> Map<String, Value> {
    found.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn standard(fields: &mut Fields, name: &str, known: &[&str], why: &str) -> Result<Option<Value>, BadRequest> {
    match fields.string(name)? {
        Some(word) if !known.contains(&word.as_str()) => {
            let words = known.join(" or ");
            Err(BadRequest::new(name, format!("{name} must be {words}, got {word:?}: {why}")))
        }
        word => Ok(word.map(Value::String)),
    }
}

fn automatic_caching(fields: &mut Fields) -> Result<Option<Value>, BadRequest> {
    let value = fields.value("cache_control");
    let Some(control) = value.clone() else {
        return Ok(None);
    };
    let alone = Map::from_iter([("cache_control".to_owned(), control)]);
    cache_control(&mut Fields::new(alone)).map(|_| value)
}

fn context_management(fields: &mut Fields) -> Result<Option<Value>, BadRequest> {
    let Some(management) = fields.object("context_management")? else {
        return Ok(None);
    };
    let mut edits = Fields::at(Value::Object(management.clone()), "context_management")?;
    for (index, edit) in edits.array("edits")?.unwrap_or_default().into_iter().enumerate() {
        let mut edit = Fields::at(edit, &format!("context_management.edits[{index}]"))?;
        let kind = edit.required_string("type")?;
        if !kind.starts_with(FREE_EDITS) {
            let path = edit.path("type");
            let text =
                format!("{path}: {kind:?} is billed beyond the output limit; only clear_* edits are not");
            return Err(BadRequest::new(path, text));
        }
    }
    Ok(Some(Value::Object(management)))
}

/// The betas that change no price, and the others.
fn betas(fields: &mut Fields) -> Result<(Option<Value>, Option<Value>), BadRequest> {
    let names = fields.array(BETA)?.unwrap_or_default();
    if let Some(index) = names.iter().position(|name| !name.is_string()) {
        let path = format!("{BETA}[{index}]");
        return Err(BadRequest::new(&path, format!("{path} must be a string")));
    }
    let is_known = |name: &Value| name.as_str().is_some_and(|name| BETAS.contains(&name));
    let (known, unknown): (Vec<Value>, Vec<Value>) = names.into_iter().partition(is_known);
    let some = |names: Vec<Value>| (!names.is_empty()).then_some(Value::Array(names));
    Ok((some(known), some(unknown)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_of(body: Value) -> [Value; 2] {
        let mut fields = Fields::at(body, "").expect("an object");
        let read = read(&mut fields).expect("neutral fields");
        assert!(fields.rest().is_empty());
        read.map(Value::Object)
    }

    #[test]
    fn betas_that_may_change_a_price_are_told_from_those_that_do_not() {
        let body = json!({"anthropic-beta": ["interleaved-thinking-2025-05-14", "context-1m-2025-08-07"]});
        let [extra, unlisted] = read_of(body);
        assert_eq!(extra, json!({"anthropic-beta": ["interleaved-thinking-2025-05-14"]}));
        assert_eq!(unlisted, json!({"anthropic-beta": ["context-1m-2025-08-07"]}));
        assert_eq!(read_of(json!({"anthropic-beta": []})), [json!({}), json!({})]);
    }

    #[test]
    fn what_only_shortens_the_prompt_is_passed_on_as_it_stands() {
        let body = json!({
            "context_management": {"edits": [{"type": "clear_tool_uses_20250919", "clear_tool_inputs": true}]},
            "cache_control": {"type": "ephemeral", "ttl": "1h"}, "service_tier": "standard_only", "inference_geo": "global",
        });
        assert_eq!(read_of(body.clone()), [body, json!({})]);
    }
}
