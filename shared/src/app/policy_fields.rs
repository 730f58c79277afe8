//! Policies as admins write them.

use serde_json::Value;

use super::fields::{amount, limit};
use crate::domain::counter::{RateLimits, SHARDS_MAX, ScopeState};
use crate::domain::policy::{Budget, Policy, Shards};
use crate::domain::time::{Period, Timestamp};
use crate::protocol::fields::{BadRequest, Fields};

/// Reads `budgetUsd` with `period`, or `budgets`; `rpm`, `tpm`, `concurrency` and `state`.
///
/// # Errors
/// [`BadRequest`] naming the field.
pub(super) fn policy(fields: &mut Fields, version: Timestamp) -> Result<Policy, BadRequest> {
    let policy = Policy {
        budgets: budgets(fields)?,
        limits: RateLimits {
            requests: limit(fields, "rpm")?,
            tokens: limit(fields, "tpm")?,
            concurrency: limit(fields, "concurrency")?,
        },
        state: state(fields)?,
        throttle: None,
        shards: Shards { count: shards(fields)?, ..Shards::default() },
        version,
    };
    let RateLimits { requests, tokens, concurrency } = policy.limits;
    let least = i64::from(policy.shards.count);
    for (field, limit) in [("rpm", requests), ("tpm", tokens), ("concurrency", concurrency)] {
        if limit.is_some_and(|limit| limit < least) {
            let path = fields.path(field);
            let text = format!("{path} must be {least} or more, so that each of {least} shards has a share");
            return Err(BadRequest::new(path, text));
        }
    }
    Ok(policy)
}

/// A policy inside a policy.
pub(super) fn nested(
    fields: &mut Fields,
    field: &str,
    version: Timestamp,
) -> Result<Option<Policy>, BadRequest> {
    let Some(value) = fields.value(field) else {
        return Ok(None);
    };
    let mut inner = Fields::at(value, &fields.path(field))?;
    let policy = policy(&mut inner, version)?;
    if policy.shards.count > 1 {
        let path = inner.path("shards");
        return Err(BadRequest::new(&path, format!("{path} is for a scope of its own")));
    }
    inner.nothing_else()?;
    Ok(Some(policy))
}

fn budgets(fields: &mut Fields) -> Result<Vec<Budget>, BadRequest> {
    let (cap, span) = (amount(fields, "budgetUsd")?, period(fields, "period")?);
    let listed = fields.array("budgets")?;
    match (cap, span, listed) {
        (Some(cap), span, None) => Ok(vec![Budget { cap, period: span.unwrap_or(Period::Month) }]),
        (None, Some(_), _) => Err(BadRequest::new(fields.path("period"), "period needs budgetUsd")),
        (Some(_), _, Some(_)) => {
            Err(BadRequest::new(fields.path("budgets"), "give budgetUsd or budgets, not both"))
        }
        (None, None, Some(listed)) => several(listed, &fields.path("budgets")),
        (None, None, None) => Ok(Vec::new()),
    }
}

fn several(listed: Vec<Value>, path: &str) -> Result<Vec<Budget>, BadRequest> {
    let mut budgets: Vec<Budget> = Vec::new();
    for (index, item) in listed.into_iter().enumerate() {
        let mut fields = Fields::at(item, &format!("{path}[{index}]"))?;
        let cap = amount(&mut fields, "capUsd")?.ok_or_else(|| missing(&fields, "capUsd"))?;
        let period = period(&mut fields, "period")?.ok_or_else(|| missing(&fields, "period"))?;
        if budgets.iter().any(|other| other.period == period) {
            let field = fields.path("period");
            let text = format!("{field} repeats a period; a scope has one cap for each");
            return Err(BadRequest::new(field, text));
        }
        fields.nothing_else()?;
        budgets.push(Budget { cap, period });
    }
    Ok(budgets)
}

fn missing(fields: &Fields, field: &str) -> BadRequest {
    let path = fields.path(field);
    BadRequest::new(&path, format!("{path} is required"))
}

fn period(fields: &mut Fields, field: &str) -> Result<Option<Period>, BadRequest> {
    word(fields, field, "minute, hour, day, month or total")
}

fn shards(fields: &mut Fields) -> Result<u8, BadRequest> {
    let shards = fields.whole("shards", 1, u64::from(SHARDS_MAX))?;
    Ok(shards.and_then(|shards| u8::try_from(shards).ok()).unwrap_or(1))
}

fn state(fields: &mut Fields) -> Result<ScopeState, BadRequest> {
    Ok(word(fields, "state", "active, throttled or stopped")?.unwrap_or_default())
}

/// One of a few words.
fn word<T: serde::de::DeserializeOwned>(
    fields: &mut Fields,
    field: &str,
    known: &str,
) -> Result<Option<T>, BadRequest> {
    let Some(text) = fields.string(field)? else {
        return Ok(None);
    };
    let read = serde_json::from_value(Value::String(text.clone()));
    let path = fields.path(field);
    read.map(Some).map_err(|_| BadRequest::new(&path, format!("{path} must be {known}, got {text:?}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::money::NanoUsd;

    fn read(body: Value) -> Result<Policy, BadRequest> {
        let Value::Object(body) = body else { panic!("an object") };
        let mut fields = Fields::new(body);
        let policy = policy(&mut fields, Timestamp::default())?;
        fields.nothing_else()?;
        Ok(policy)
    }

    #[test]
    fn one_budget_or_several_are_read() {
        let one = read(json!({ "budgetUsd": "1.5" })).expect("valid");
        let month = Budget { cap: NanoUsd::from_nano(1_500_000_000), period: Period::Month };
        assert_eq!(one.budgets, [month]);
        let two =
            json!({ "budgets": [{ "capUsd": "1.5", "period": "month" }, { "capUsd": 1, "period": "day" }] });
        let day = Budget { cap: NanoUsd::from_nano(1_000_000_000), period: Period::Day };
        assert_eq!(read(two).expect("valid").budgets, [month, day]);
        assert_eq!(read(json!({})).expect("valid"), Policy::default());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, param) in [
            (json!({ "period": "day" }), "period"),
            (json!({ "budgetUsd": "1", "budgets": [] }), "budgets"),
            (json!({ "budgets": [{ "period": "day" }] }), "budgets[0].capUsd"),
            (json!({ "budgets": [{ "capUsd": "1" }] }), "budgets[0].period"),
            (json!({ "budgets": [7] }), "budgets[0]"),
            (json!({ "budgets": [{ "capUsd": "-1", "period": "day" }] }), "budgets[0].capUsd"),
            (json!({ "state": "asleep" }), "state"),
            (json!({ "concurrency": 0 }), "concurrency"),
            (json!({ "rpm": 3, "shards": 4 }), "rpm"),
            (json!({ "shards": 65 }), "shards"),
            (json!({ "buget": 1 }), "buget"),
        ] {
            assert_eq!(read(body.clone()).expect_err("wrong").param, param, "{body}");
        }
        let twice =
            json!({ "budgets": [{ "capUsd": "1", "period": "day" }, { "capUsd": "2", "period": "day" }] });
        assert_eq!(read(twice).expect_err("wrong").param, "budgets[1].period");
    }
}
