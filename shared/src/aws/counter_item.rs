//! How a counter and its open holds are kept as an item. A hold is flat and holds no JSON, since
//! every open one makes every write to the counter dearer.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{Item, int, key, malformed, n, s, text};
use crate::domain::counter::{
    Bar, Counter, CounterKey, Hold, HoldFacts, Part, SHARDS_MAX, ScopeKind, ScopeState,
};
use crate::domain::id::AttemptId;
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;
use crate::ports::StoreError;

/// Partition `<kind>#<id>`, that of a shard `<kind>.<shard>#<id>`; sort key the label of the period.
pub(super) fn counter_key(counter: &CounterKey) -> Item {
    key(partition(counter), &counter.period)
}

fn partition(counter: &CounterKey) -> String {
    match counter.shard {
        None => format!("{}#{}", counter.kind, counter.id),
        Some(shard) => format!("{}.{shard}#{}", counter.kind, counter.id),
    }
}

/// The reverse of [`counter_key`]; none for what is no counter.
pub(super) fn read_key(pk: &str, period: &str) -> Option<CounterKey> {
    let (word, id) = pk.split_once('#')?;
    let (word, shard) = match word.split_once('.') {
        None => (word, None),
        Some((word, shard)) => (word, Some(shard.parse().ok().filter(|shard| *shard < SHARDS_MAX)?)),
    };
    Some(CounterKey { kind: ScopeKind::named(word)?, id: id.to_owned(), period: period.to_owned(), shard })
}

/// # Errors
/// [`StoreError::Rejected`] naming the attribute that cannot be read.
pub(super) fn read_counter(item: &Item) -> Result<Counter, StoreError> {
    let states = [ScopeState::Active, ScopeState::Throttled, ScopeState::Stopped];
    let word = text(item, "state")?;
    let state = states.into_iter().find(|state| state.to_string() == word);
    let live = item.get("live").and_then(|value| value.as_m().ok());
    let floor = match item.get("floor") {
        Some(_) => Some(id(item, "floor")?),
        None => None,
    };
    let optional = |name: &str| item.contains_key(name).then(|| int(item, name)).transpose();
    Ok(Counter {
        cap: NanoUsd::from_nano(int(item, "cap")?),
        remaining: NanoUsd::from_nano(int(item, "remaining")?),
        state: state.ok_or_else(|| malformed("state"))?,
        bar: Bar { pace: optional("pace")?.unwrap_or(0), until: optional("until")? },
        version: Timestamp::from_millis(int(item, "version")?),
        window: int(item, "window")?,
        requests: int(item, "requests")?,
        tokens: int(item, "tokens")?,
        live: read_live(live.ok_or_else(|| malformed("live"))?)?,
        floor,
        refused_at: item
            .get("refusedAt")
            .map(|_| int(item, "refusedAt"))
            .transpose()?
            .map(Timestamp::from_millis),
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
    let items = hold
        .items
        .iter()
        .flat_map(|part| [s(partition(&part.counter)), s(&part.counter.period), n(part.amount.nano())]);
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
    // Left out where it is not so, since a hold is paid for by its size.
    let lookup = hold.facts.for_lookup.then(|| ("lookup", AttributeValue::Bool(true)));
    let attributes = attributes.into_iter().chain(lookup);
    AttributeValue::M(attributes.map(|(name, value)| (name.to_owned(), value)).collect())
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
            for_lookup: hold.contains_key("lookup"),
        },
    })
}

fn read_items(hold: &Item) -> Result<Vec<Part>, StoreError> {
    let list = hold.get("items").and_then(|value| value.as_l().ok());
    let parts = list.ok_or_else(|| malformed("items"))?.chunks(3).map(read_part);
    parts.map(|part| part.ok_or_else(|| malformed("items"))).collect()
}

fn read_part(part: &[AttributeValue]) -> Option<Part> {
    let [AttributeValue::S(pk), AttributeValue::S(period), AttributeValue::N(amount)] = part else {
        return None;
    };
    Some(Part { counter: read_key(pk, period)?, amount: NanoUsd::from_nano(amount.parse().ok()?) })
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
        let item = |kind, id: &str, shard| Part {
            counter: CounterKey { kind, id: id.to_owned(), period: "day#2026-11-23".to_owned(), shard },
            amount: NanoUsd::from_nano(3),
        };
        let kinds = ScopeKind::ALL.map(|kind| item(kind, "a#b#", None));
        let shards = [item(ScopeKind::Session, ".1#", Some(0)), item(ScopeKind::User, "", Some(63))];
        let hold = Hold {
            amount: NanoUsd::from_nano(7),
            tokens: 3,
            window: -1,
            items: kinds.into_iter().chain(shards).collect(),
            expires: Timestamp::from_millis(9),
            facts: HoldFacts {
                request,
                tenant: "t".to_owned(),
                key: "k".to_owned(),
                model: "m".to_owned(),
                price: "p".to_owned(),
                for_lookup: true,
            },
        };
        let AttributeValue::M(stored) = hold_value(&hold) else { panic!("a hold is a map") };
        assert_eq!(read_hold(&stored), Ok(hold));
    }
}
