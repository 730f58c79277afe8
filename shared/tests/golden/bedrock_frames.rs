//! Events of Bedrock, written down as lines of JSON, in the frames of the wire.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use serde_json::Value;

/// Each line is `{"event": type, "payload": {...}}`, `{"exception": type, "payload": {...}}` or
/// `{"error": code, "message": text}`.
pub(crate) fn encode(lines: &str) -> Vec<u8> {
    lines.lines().filter(|line| !line.trim().is_empty()).flat_map(frame).collect()
}

fn frame(line: &str) -> Vec<u8> {
    let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let headers = match (line["event"].as_str(), line["exception"].as_str(), line["error"].as_str()) {
        (Some(kind), None, None) => vec![(":message-type", "event"), (":event-type", kind)],
        (None, Some(kind), None) => vec![(":message-type", "exception"), (":exception-type", kind)],
        (None, None, Some(code)) => {
            let text = line["message"].as_str().expect("an error has a message");
            vec![(":message-type", "error"), (":error-code", code), (":error-message", text)]
        }
        _ => panic!("{line} is one of event, exception and error"),
    };
    let payload = line.get("payload").map(Value::to_string).unwrap_or_default();
    let text =
        |(name, value): (&'static str, &str)| Header::new(name, HeaderValue::String(value.to_owned().into()));
    let start = Message::new(payload.into_bytes());
    let message = headers.into_iter().map(text).fold(start, Message::add_header);
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).expect("a short message");
    bytes
}
