//! How large a counter is as an item of DynamoDB, by the vendor's published rules: names and texts
//! count their bytes, a number a byte for two digits and one more, a list or map 3 bytes and one
//! for each element.

use shared::domain::counter::Hold;

/// Everything of a counter but its open holds.
pub(crate) const COUNTER: u64 = 180;

/// What one open hold adds to its counter.
pub(crate) fn hold(hold: &Hold) -> u64 {
    const ID: u64 = 26;
    let facts = &hold.facts;
    let texts =
        [("tenant", &facts.tenant), ("key", &facts.key), ("model", &facts.model), ("price", &facts.price)];
    let texts = texts.iter().map(|(name, text)| 1 + bytes(name) + bytes(text)).sum::<u64>();
    let numbers = [
        ("amount", hold.amount.nano()),
        ("tokens", hold.tokens),
        ("window", hold.window),
        ("expires", hold.expires.millis()),
    ];
    let numbers = numbers.iter().map(|(name, value)| 1 + bytes(name) + number(*value)).sum::<u64>();
    let parts = hold.items.iter().map(|part| {
        let partition = bytes(&format!("{}.{}#{}", part.counter.kind, 0, part.counter.id));
        3 + partition + bytes(&part.counter.period) + number(part.amount.nano())
    });
    let items = 1 + bytes("items") + 3 + parts.sum::<u64>();
    ID + 1 + 3 + texts + numbers + items + 1 + bytes("request") + ID
}

fn number(value: i64) -> u64 {
    let digits = value.unsigned_abs().checked_ilog10().map_or(1, |log| u64::from(log) + 1);
    digits.div_ceil(2) + 1 + u64::from(value < 0)
}

fn bytes(text: &str) -> u64 {
    text.len() as u64
}

#[cfg(test)]
mod tests {
    use shared::domain::counter::WindowForm;
    use shared::domain::id::AttemptId;

    use super::super::store::units;
    use super::super::writes::{at, reserve_of};
    use super::*;

    #[test]
    fn a_counter_costs_what_dynamodb_local_charges_for_it() {
        let id = AttemptId::new(at(0), 1);
        let write = reserve_of(3, id, (at(0).minute(), WindowForm::Create), 0);
        let each = hold(&write.hold.expect("it spends"));
        let charged = [0, 3, 10, 100, 1_000].map(|holds| units(COUNTER + holds * each));
        assert_eq!(charged, [1, 1, 3, 25, 246], "{each} bytes a hold");
    }
}
