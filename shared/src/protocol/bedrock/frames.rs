//! Frames of `application/vnd.amazon.eventstream`.

use aws_smithy_eventstream::frame::read_message_from;
use aws_smithy_types::event_stream::Message;
use bytes::BytesMut;

/// The longest frame that is read, in bytes.
pub(super) const FRAME_MAX: usize = 4 << 20;
/// Two lengths and two checksums: the shortest frame there can be.
const FRAME_MIN: usize = 16;

/// Collects bytes and yields whole frames. Cutting the input anywhere changes nothing.
#[derive(Debug, Default)]
pub(super) struct FrameReader {
    bytes: BytesMut,
}

impl FrameReader {
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame, once all of it is there.
    ///
    /// # Errors
    /// The reason when it is no frame; the stream cannot be read on.
    pub(super) fn next_frame(&mut self) -> Result<Option<Message>, String> {
        let Some(length) = self.bytes.first_chunk() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if !(FRAME_MIN..=FRAME_MAX).contains(&length) {
            return Err(format!("a frame of the stream claims {length} bytes"));
        }
        if self.bytes.len() < length {
            return Ok(None);
        }
        let frame = self.bytes.split_to(length).freeze();
        read_message_from(frame).map(Some).map_err(|error| format!("unreadable frame: {error}"))
    }
}

/// The text of a header.
pub(super) fn header<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    let header = message.headers().iter().find(|header| header.name().as_str() == name)?;
    header.value().as_string().ok().map(|value| value.as_str())
}

#[cfg(test)]
pub(crate) mod tests {
    use aws_smithy_eventstream::frame::write_message_to;
    use aws_smithy_types::event_stream::{Header, HeaderValue};
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// The bytes of one frame.
    pub(in crate::protocol::bedrock) fn frame(headers: &[(&'static str, &str)], payload: &str) -> Vec<u8> {
        let mut message = Message::new(payload.as_bytes().to_vec());
        for (name, value) in headers {
            message = message.add_header(Header::new(*name, HeaderValue::String(value.to_string().into())));
        }
        let mut bytes = Vec::new();
        write_message_to(&message, &mut bytes).expect("a short message");
        bytes
    }

    /// The bytes of one event, as Bedrock sends it.
    pub(crate) fn event(kind: &str, payload: &Value) -> Vec<u8> {
        let headers =
            [(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")];
        frame(&headers, &payload.to_string())
    }

    /// CRC-32 as the frames carry it, bit by bit.
    fn crc(bytes: &[u8]) -> [u8; 4] {
        let rest = bytes.iter().fold(u32::MAX, |rest, byte| {
            let step = |rest: u32, _| (rest >> 1) ^ if rest & 1 == 1 { 0xEDB8_8320 } else { 0 };
            (0..8).fold(rest ^ u32::from(*byte), step)
        });
        (!rest).to_be_bytes()
    }

    /// A frame whose checksums are right, whatever its headers are.
    fn sealed(headers: &[u8], headers_length: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(FRAME_MIN + headers.len() + payload.len()).expect("short");
        let mut bytes = [length.to_be_bytes(), headers_length.to_be_bytes()].concat();
        bytes.extend(crc(&bytes));
        bytes.extend([headers, payload].concat());
        bytes.extend(crc(&bytes));
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Option<Message>, String> {
        let mut reader = FrameReader::default();
        reader.extend(bytes);
        reader.next_frame()
    }

    #[test]
    fn a_frame_is_read_with_its_headers() {
        let message = read(&event("messageStop", &Value::Null)).expect("a frame").expect("whole");
        assert_eq!(header(&message, ":event-type"), Some("messageStop"));
        assert_eq!(header(&message, ":exception-type"), None);
        assert_eq!(message.payload().as_ref(), b"null");
    }

    #[test]
    fn the_checksums_of_these_tests_are_those_of_the_frames() {
        let whole = read(&sealed(&[], 0, b"x")).expect("right checksums").expect("whole");
        assert_eq!(whole.payload().as_ref(), b"x");
    }

    #[test]
    fn a_single_flipped_bit_is_noticed() {
        let bytes = event("messageStart", &serde_json::json!({ "role": "assistant" }));
        // The first bytes are the length, whose faults show as a frame that never ends or is refused.
        for at in 4..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(read(&flipped).is_err(), "byte {at}");
        }
    }

    #[test]
    fn lengths_that_no_frame_has_are_refused_before_anything_is_collected() {
        for length in [0, 15, 4 * 1024 * 1024 + 1, u32::MAX] {
            assert!(read(&length.to_be_bytes()).is_err(), "{length}");
        }
        assert_eq!(read(&(4 * 1024 * 1024_u32).to_be_bytes()), Ok(None));
    }

    proptest! {
        #[test]
        fn any_headers_under_right_checksums_are_survived(
            headers in proptest::collection::vec(any::<u8>(), 0..80), claimed in 0..100_u32,
            payload in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let _ = read(&sealed(&headers, claimed, &payload));
            let _ = read(&sealed(&headers, u32::try_from(headers.len()).expect("short"), &payload));
        }
    }
}
