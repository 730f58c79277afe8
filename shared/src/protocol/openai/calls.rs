//! Which call an increment of a stream belongs to. OpenAI numbers the calls of a choice; other
//! servers leave the number out, or give every call the same.

use std::collections::BTreeMap;

/// The calls that have begun, by their choice.
#[derive(Debug, Default)]
pub(super) struct Calls(BTreeMap<u32, Vec<Begun>>);

#[derive(Debug)]
struct Begun {
    /// As the server counts.
    number: Option<u32>,
    id: Option<String>,
}

impl Calls {
    /// The place of the call among those of `choice`, from 0. An increment with a name begins a call
    /// when its id is another's, or when there is neither a number nor an id to tell.
    pub(super) fn number(
        &mut self,
        choice: u32,
        number: Option<u32>,
        id: Option<&str>,
        name: Option<&str>,
    ) -> u32 {
        let begun = self.0.entry(choice).or_default();
        let is_another = |call: &Begun| match (call.id.as_deref(), id) {
            (Some(own), Some(id)) => own != id,
            _ => number.is_none(),
        };
        let goes_on = |call: &Begun| call.number == number;
        let place = match begun.iter().rposition(goes_on) {
            Some(place) if name.is_none() || !is_another(&begun[place]) => place,
            _ => {
                begun.push(Begun { number, id: id.map(str::to_owned) });
                begun.len() - 1
            }
        };
        u32::try_from(place).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places of increments given as number, id and name.
    fn places(increments: &[(Option<u32>, Option<&str>, Option<&str>)]) -> Vec<u32> {
        let mut calls = Calls::default();
        increments.iter().map(|(number, id, name)| calls.number(0, *number, *id, *name)).collect()
    }

    #[test]
    fn numbered_calls_may_take_turns() {
        let (f, g) = (Some("f"), Some("g"));
        let increments =
            [(Some(0), Some("a"), f), (Some(1), Some("b"), g), (Some(1), None, None), (Some(0), None, None)];
        assert_eq!(places(&increments), [0, 1, 1, 0]);
    }

    #[test]
    fn an_id_that_is_repeated_begins_nothing() {
        assert_eq!(places(&[(Some(0), Some("a"), Some("f")), (Some(0), Some("a"), Some("f"))]), [0, 0]);
        assert_eq!(places(&[(None, Some("a"), Some("f")), (None, Some("a"), None)]), [0, 0]);
    }

    #[test]
    fn calls_under_one_number_are_told_by_their_ids() {
        let increments =
            [(Some(0), Some("a"), Some("f")), (Some(0), Some("b"), Some("f")), (Some(0), None, None)];
        assert_eq!(places(&increments), [0, 1, 1]);
    }

    #[test]
    fn without_a_number_each_name_begins_a_call() {
        assert_eq!(
            places(&[(None, None, Some("f")), (None, None, None), (None, None, Some("f"))]),
            [0, 0, 1]
        );
    }

    #[test]
    fn choices_are_counted_apart() {
        let mut calls = Calls::default();
        assert_eq!(calls.number(0, None, None, Some("f")), 0);
        assert_eq!(calls.number(1, None, None, Some("f")), 0);
    }
}
