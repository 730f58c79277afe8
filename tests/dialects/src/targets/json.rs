//! The strict reader of bodies.

use serde_json::Value;
use shared::protocol::json::{DEPTH_MAX, parse_object};

/// What is read is what every other reader reads, nests no deeper than promised, and comes back
/// when it is written. What is refused has a reason.
pub(super) fn target(data: &[u8]) {
    match parse_object(data) {
        Err(fault) => assert!(!fault.0.is_empty()),
        Ok(object) => {
            let value = Value::Object(object.clone());
            let loose: Value = serde_json::from_slice(data).expect("what is read strictly is JSON");
            assert_eq!(loose, value);
            assert!(depth(&value) <= DEPTH_MAX + 1, "nested {} levels", depth(&value));
            assert_eq!(parse_object(value.to_string().as_bytes()), Ok(object));
        }
    }
}

fn depth(value: &Value) -> u32 {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 1,
    }
}
