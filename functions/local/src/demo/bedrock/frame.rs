//! Messages of the binary event stream.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::{Bytes, BytesMut};
use serde_json::Value;

/// Bedrock pads its events so that their lengths do not give the text away.
const PADDING: &str = "abcdefghijkl";

/// An event whose payload is `value`.
pub(super) fn event(kind: &'static str, mut value: Value) -> Bytes {
    value["p"] = PADDING.into();
    message([(":event-type", kind), (":message-type", "event")], value.to_string())
}

/// The end of the stream: nothing follows.
pub(super) fn exception(kind: &'static str, value: &Value) -> Bytes {
    message([(":exception-type", kind), (":message-type", "exception")], value.to_string())
}

/// An event whose payload is no JSON.
pub(super) fn bad_json() -> Bytes {
    let payload = r#"{"contentBlockIndex":0,"delta":{"#;
    message([(":event-type", "contentBlockDelta"), (":message-type", "event")], payload.to_owned())
}

/// An event whose checksum is not that of its bytes.
pub(super) fn bad_checksum(event: &Bytes) -> Bytes {
    let mut bytes = event.to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    bytes.into()
}

fn message(headers: [(&'static str, &'static str); 2], payload: String) -> Bytes {
    let [kind, message_type] =
        headers.map(|(name, value)| Header::new(name, HeaderValue::String(value.into())));
    let content_type = Header::new(":content-type", HeaderValue::String("application/json".into()));
    let message = Message::new(payload).add_header(kind).add_header(content_type).add_header(message_type);
    let mut bytes = BytesMut::new();
    write_message_to(&message, &mut bytes).expect("a frame of the demo provider is far below the limits");
    bytes.freeze()
}
