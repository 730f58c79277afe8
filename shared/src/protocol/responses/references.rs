//! Items that a caller refers to instead of sending them, as the AI SDK does by default. An item's
//! id names the request that it answered, so the kept answer brings the items back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::compose::Composer;
use super::events::Events;
use crate::protocol::answer::Answer;
use crate::protocol::fields::BadRequest;

/// The ids of the requests whose answers `body` refers to.
pub fn requests_of(body: &Map<String, Value>) -> BTreeSet<String> {
    let items = body.get("input").and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| Some(request_of(referred(item)?)?.to_owned())).collect()
}

/// Puts the items in the place of what refers to them. `answers` are those that are still kept, by
/// the id of their request.
///
/// # Errors
/// [`BadRequest`] naming the reference to an item that is not kept.
pub fn restore(body: &mut Map<String, Value>, answers: &BTreeMap<String, Answer>) -> Result<(), BadRequest> {
    let items: BTreeMap<String, Value> = answers.iter().flat_map(|(id, answer)| items(id, answer)).collect();
    let Some(Value::Array(input)) = body.get_mut("input") else {
        return Ok(());
    };
    for (index, item) in input.iter_mut().enumerate() {
        let Some(id) = referred(item) else { continue };
        match items.get(id) {
            Some(found) => *item = found.clone(),
            None => {
                let text = format!(
                    "input[{index}]: there is no item {id:?}; items are kept for a day and not at all with store: false"
                );
                return Err(BadRequest::new(format!("input[{index}].id"), text));
            }
        }
    }
    Ok(())
}

/// The id in an `item_reference`, whose type may be left out.
fn referred(item: &Value) -> Option<&str> {
    let is_reference = match item.get("type").filter(|kind| !kind.is_null()) {
        Some(kind) => kind == "item_reference",
        None => item.get("role").is_none() && item.get("content").is_none(),
    };
    item.get("id").and_then(Value::as_str).filter(|_| is_reference)
}

/// `fc_<request>_<index>`.
fn request_of(id: &str) -> Option<&str> {
    id.split('_').nth(1)
}

fn items(request_id: &str, answer: &Answer) -> Vec<(String, Value)> {
    let mut composer = Composer::new(request_id, Events::silent());
    answer.deltas().iter().for_each(|delta| composer.push(delta));
    composer.close();
    let written = composer.output().iter().filter_map(|item| serde_json::to_value(item).ok());
    written.filter_map(|item| Some((item["id"].as_str()?.to_owned(), item))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::answer::Choice;
    use crate::protocol::canonical::{FinishReason, ToolCall};

    fn answer() -> Answer {
        let call =
            ToolCall { id: "call_1".into(), name: "f".into(), arguments: "{}".into(), signature: None };
        let choice = Choice {
            content: Some("Let me look.".into()),
            tool_calls: vec![call],
            finish: Some(FinishReason::ToolCalls),
            ..Choice::default()
        };
        Answer { choices: vec![choice], ..Answer::default() }
    }

    fn body(input: Value) -> Map<String, Value> {
        json!({ "model": "m", "input": input }).as_object().cloned().expect("an object")
    }

    #[test]
    fn references_become_the_items_they_mean() {
        let mut body = body(json!([
            { "role": "user", "content": "hi" },
            { "type": "item_reference", "id": "msg_R1_0" },
            { "id": "fc_R1_1" },
            { "type": "function_call_output", "call_id": "call_1", "output": "7" },
        ]));
        assert_eq!(requests_of(&body), BTreeSet::from(["R1".to_owned()]));
        restore(&mut body, &BTreeMap::from([("R1".to_owned(), answer())])).expect("kept");
        assert_eq!(body["input"][1]["content"][0]["text"], "Let me look.");
        assert_eq!(
            (&body["input"][2]["type"], &body["input"][2]["call_id"]),
            (&json!("function_call"), &json!("call_1"))
        );
        let inbound = super::super::request::read(body).expect("readable");
        assert_eq!(inbound.request.messages[1].tool_calls, answer().choices[0].tool_calls);
    }

    #[test]
    fn what_is_not_kept_is_named() {
        let mut unknown =
            body(json!([{ "role": "user", "content": "hi" }, { "type": "item_reference", "id": "fc_R2_0" }]));
        assert_eq!(restore(&mut unknown, &BTreeMap::new()).expect_err("unknown").param, "input[1].id");
        let plain = body(json!("hi"));
        assert!(requests_of(&plain).is_empty());
    }
}
