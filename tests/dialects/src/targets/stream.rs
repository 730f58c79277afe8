//! The readers of providers' streams, and the writers of replies from whatever they read.

use shared::protocol::dialect::Dialect;
use shared::protocol::frame::Frame;
use shared::protocol::inbound::Inbound;
use shared::protocol::outbound::Outbound;

use crate::exchange::{DIALECTS, Heard, frames, streamed, whole};
use crate::outbounds::decoder;
use crate::told;
use crate::wire::bedrock::{event, frame};

/// The first byte says how the stream is cut and read; the rest is the stream. Cutting changes
/// nothing, nothing follows the end, and every dialect tells what was read by its own rules.
pub(super) fn target(outbound: Outbound, data: &[u8]) {
    let Some((how, rest)) = data.split_first() else { return };
    let wire = match outbound {
        Outbound::Bedrock if how & 1 == 0 => framed(rest),
        _ => rest.to_vec(),
    };
    let is_forced = how & 2 != 0;
    let at_once = frames(decoder(outbound, is_forced), [wire.as_slice()]);
    let part = usize::from(how >> 2) + 1;
    let in_parts = frames(decoder(outbound, is_forced), wire.chunks(part));
    assert_eq!(at_once, in_parts, "cut every {part} bytes");
    let others = at_once.iter().rev().skip(1);
    assert!(others.clone().all(|frame| matches!(frame, Ok(Frame::Chunk(_)))));
    let heard = Heard::of(at_once);
    for dialect in DIALECTS {
        reply(dialect, &heard);
    }
}

/// A fuzzer cannot guess checksums: each line is the name of an event and its payload, or a header
/// and its value behind an exclamation mark.
fn framed(text: &[u8]) -> Vec<u8> {
    let line = |line: &[u8]| {
        let at = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let (name, payload) = line.split_at(at);
        let (name, payload) = (String::from_utf8_lossy(name), payload.strip_prefix(b" ").unwrap_or(payload));
        match name.strip_prefix('!') {
            Some(kind) => {
                frame(&[(":message-type", kind), (":exception-type", kind), (":error-code", kind)], payload)
            }
            None => event(&name, payload),
        }
    };
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).flat_map(line).collect()
}

fn reply(dialect: Dialect, heard: &Heard) {
    let mut inbound = Inbound { include_usage: true, ..Inbound::default() };
    inbound.request.choices = 1;
    let stream = streamed(dialect, &inbound, heard);
    let told = told::streamed(dialect, &stream);
    assert_eq!(told.failed, !heard.is_answer(1));
    if heard.is_answer(1) {
        told::whole(dialect, &whole(dialect, &inbound, heard));
    }
}
