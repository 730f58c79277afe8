//! The prompt form.

use serde_json::Value;

use super::{Choice, Event, Told, text};

pub(super) fn whole(body: &Value) -> Told {
    told(text(body, "response").to_owned(), body)
}

pub(super) fn streamed(events: &[Event]) -> Told {
    let (last, rest) = events.split_last().expect("an event");
    let mut said = String::new();
    for event in rest {
        assert_eq!(event.name, None, "{event:?}");
        said += text(&event.json(), "delta");
    }
    match last.name.as_deref() {
        Some("done") => told(said, &last.json()),
        Some("error") => {
            let error = last.json();
            assert!(!text(&error, "error").is_empty() && !text(&error, "message").is_empty(), "{error}");
            Told {
                failed: true,
                choices: vec![Choice { text: said, ..Choice::default() }],
                usage: Value::Null,
            }
        }
        other => panic!("the last event is {other:?}"),
    }
}

fn told(text: String, facts: &Value) -> Told {
    assert!(facts["requestId"].is_string() && facts["costUsd"].is_string(), "{facts}");
    Told { choices: vec![Choice { text, ..Choice::default() }], usage: facts["usage"].clone(), failed: false }
}
