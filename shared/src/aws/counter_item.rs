//! How a counter and its open holds are kept as an item. A hold is flat and holds no JSON, since
//! every open one makes every write to the counter dearer.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{Item, int, key, malformed, n, s, text};
use crate::domain::counter::{Counter, CounterKey, Hold, HoldFacts, ScopeKind, ScopeState};
use crate::domain::id::AttemptId;
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;
use crate::ports::StoreError;

/// Partition `<kind>#<id>`, sort key the label of the period.
pub(super) fn counter_key(counter: &CounterKey) -> Item {
    key(format!("{}#{}", counter.kind, counter.id), &counter.period)
}

pub(super) fn state_word(state: ScopeState) -> &'static str {
    match state {
        ScopeState::Active => "active",
        ScopeState::Throttled => "throttled",
        ScopeState::Stopped => "stopped",
    }
}

/// # Errors
/// [`StoreError::Rejected`] naming the attribute that cannot be read.
pub(super) fn read_counter(item: &Item) -> Result<Counter, StoreError> {
    let states = [ScopeState::Active, ScopeState::Throttled, ScopeState::Stopped];
    let word = text(item, "state")?;
    let state = states.into_iter().find(|state| state_word(*state) == word);
    let live = item.get("live").and_then(|value| value.as_m().ok());
    let floor = match item.get("floor") {
        Some(_) => Some(id(item, "floor")?),
        None => None,
    };
    Ok(Counter {
        cap: NanoUsd::from_nano(int(item, "cap")?),
        remaining: NanoUsd::from_nano(int(item, "remaining")?),
        state: state.ok_or_else(|| malformed("state"))?,
        window: int(item, "window")?,
        requests: int(item, "requests")?,
        tokens: int(item, "tokens")?,
        live: read_live(live.ok_or_else(|| malformed("live"))?)?,
        floor,
    })
}

fn read_live(live: &Item) -> Result<BTreeMap<AttemptId, Hold>, StoreError> {
    let holds = live.iter().map(|(name, value)| {
        let id = name.parse().map_err(|_| malformed("live"))?;
        let hold = value.as_m().map_err(|_| malformed("live"))?;
        Ok((id, read_hold(hold)?))
    });
    holds.collect()
}

pub(super) fn hold_value(hold: &Hold) -> AttributeValue {
    let items = hold.items.iter().flat_map(|item| {
        let pk = format!("{}#{}", item.kind, item.id);
        [s(pk), s(&item.period)]
    });
    let attributes = [
        ("amount", n(hold.amount.nano())),
        ("tokens", n(hold.tokens)),
        ("window", n(hold.window)),
        ("expires", n(hold.expires.millis())),
        ("items", AttributeValue::L(items.collect())),
        ("request", s(hold.facts.request.to_string())),
        ("tenant", s(&hold.facts.tenant)),
        ("key", s(&hold.facts.key)),
        ("model", s(&hold.facts.model)),
        ("price", s(&hold.facts.price)),
    ];
    AttributeValue::M(attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

pub(super) fn read_hold(hold: &Item) -> Result<Hold, StoreError> {
    let owned = |name: &str| text(hold, name).map(str::to_owned);
    Ok(Hold {
        amount: NanoUsd::from_nano(int(hold, "amount")?),
        tokens: int(hold, "tokens")?,
        window: int(hold, "window")?,
        items: read_items(hold)?,
        expires: Timestamp::from_millis(int(hold, "expires")?),
        facts: HoldFacts {
            request: id(hold, "request")?,
            tenant: owned("tenant")?,
            key: owned("key")?,
            model: owned("model")?,
            price: owned("price")?,
        },
    })
}

fn read_items(hold: &Item) -> Result<Vec<CounterKey>, StoreError> {
    let list = hold.get("items").and_then(|value| value.as_l().ok());
    let texts = list.ok_or_else(|| malformed("items"))?.iter();
    let texts: Vec<&str> = texts.filter_map(|value| value.as_s().ok()).map(String::as_str).collect();
    let keys = texts.chunks(2).map(|pair| match pair {
        [pk, period] => read_key(pk, period).ok_or_else(|| malformed("items")),
        _ => Err(malformed("items")),
    });
    keys.collect()
}

fn read_key(pk: &str, period: &str) -> Option<CounterKey> {
    let (word, id) = pk.split_once('#')?;
    Some(CounterKey { kind: ScopeKind::named(word)?, id: id.to_owned(), period: period.to_owned() })
}

fn id(item: &Item, name: &str) -> Result<AttemptId, StoreError> {
    text(item, name)?.parse().map_err(|_| malformed(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_round_trips_whatever_its_scopes_are_called() {
        let request = AttemptId::new(Timestamp::from_millis(1), 2);
        let item =
            |kind, id: &str| CounterKey { kind, id: id.to_owned(), period: "day#2026-11-23".to_owned() };
        let hold = Hold {
            amount: NanoUsd::from_nano(7),
            tokens: 3,
            window: -1,
            items: vec![
                item(ScopeKind::Session, "a#b#"),
                item(ScopeKind::User, ""),
                item(ScopeKind::Token, "t"),
            ],
            expires: Timestamp::from_millis(9),
            facts: HoldFacts {
                request,
                tenant: "t".to_owned(),
                key: "k".to_owned(),
                model: "m".to_owned(),
                price: "p".to_owned(),
            },
        };
        let AttributeValue::M(stored) = hold_value(&hold) else { panic!("a hold is a map") };
        assert_eq!(read_hold(&stored), Ok(hold));
    }
}
