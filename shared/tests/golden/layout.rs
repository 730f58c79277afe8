//! JSON laid out for review: what fits into a line stays in it.

use serde_json::Value;

const WIDTH: usize = 110;
const STEP: usize = 2;

pub(crate) fn pretty(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, 0, &mut out);
    out
}

/// Writes `value` after `used` characters of a line that is indented by `indent`.
fn write(value: &Value, indent: usize, used: usize, out: &mut String) {
    let line = value.to_string();
    let fits = indent + used + line.chars().count() < WIDTH;
    match value {
        Value::Array(items) if !fits && !items.is_empty() => {
            let entries = items.iter().map(|item| (String::new(), item)).collect();
            block(['[', ']'], entries, indent, out);
        }
        Value::Object(members) if !fits && !members.is_empty() => {
            let name = |name: &String| format!("{}: ", Value::from(name.as_str()));
            let entries = members.iter().map(|(key, member)| (name(key), member)).collect();
            block(['{', '}'], entries, indent, out);
        }
        _ => *out += &line,
    }
}

fn block([open, close]: [char; 2], entries: Vec<(String, &Value)>, indent: usize, out: &mut String) {
    out.push(open);
    let inner = indent + STEP;
    for (at, (name, value)) in entries.iter().enumerate() {
        *out += if at == 0 { "\n" } else { ",\n" };
        *out += &" ".repeat(inner);
        *out += name;
        write(value, inner, name.chars().count(), out);
    }
    out.push('\n');
    *out += &" ".repeat(indent);
    out.push(close);
}

#[test]
fn what_fits_stays_in_its_line() {
    let long = "x".repeat(WIDTH);
    let value = serde_json::json!({ "a": [1, { "b": null }], "c": { "d": long } });
    let expected = format!("{{\n  \"a\": [1,{{\"b\":null}}],\n  \"c\": {{\n    \"d\": \"{long}\"\n  }}\n}}");
    assert_eq!(pretty(&value), expected);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&pretty(&value)).expect("JSON"), value);
}
