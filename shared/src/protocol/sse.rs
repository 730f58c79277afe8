//! Server-sent events, both ways: an incremental reader of `data:` lines and their writer.

/// The longest line a provider may send, in bytes.
pub const LINE_MAX: usize = 1 << 20;

/// A provider sent a line longer than [`LINE_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineTooLong;

/// Collects bytes and yields the data of each event. Cutting the input anywhere changes nothing.
/// Event names and ids are dropped: the chat dialect does not use them.
#[derive(Debug, Default)]
pub struct SseReader {
    line: Vec<u8>,
    /// The data lines of the event so far.
    data: Option<String>,
    /// The input was cut after a carriage return, which may be the first half of a line end.
    after_carriage_return: bool,
}

impl SseReader {
    /// Feeds bytes and returns the events they complete.
    ///
    /// # Errors
    /// [`LineTooLong`]; the stream cannot be read on.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<Vec<String>, LineTooLong> {
        let mut events = Vec::new();
        if self.after_carriage_return && !bytes.is_empty() {
            self.after_carriage_return = false;
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (line, rest) = bytes.split_at(end);
            self.extend(line)?;
            events.extend(self.end_line());
            self.after_carriage_return = rest == b"\r";
            bytes = rest.strip_prefix(b"\r\n").unwrap_or(&rest[1..]);
        }
        self.extend(bytes)?;
        Ok(events)
    }

    /// Feeds bytes and reads each event that they complete.
    pub fn frames<T>(
        &mut self,
        bytes: &[u8],
        mut read: impl FnMut(&str) -> Result<T, String>,
    ) -> Vec<Result<T, String>> {
        match self.feed(bytes) {
            Ok(events) => events.iter().map(|event| read(event)).collect(),
            Err(LineTooLong) => vec![Err("a line of the stream is too long".to_owned())],
        }
    }

    fn extend(&mut self, part: &[u8]) -> Result<(), LineTooLong> {
        if self.line.len() + part.len() > LINE_MAX {
            return Err(LineTooLong);
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    fn end_line(&mut self) -> Option<String> {
        if self.line.is_empty() {
            return self.data.take();
        }
        if let Some(data) = self.line.strip_prefix(b"data:") {
            let text = String::from_utf8_lossy(data.strip_prefix(b" ").unwrap_or(data));
            match &mut self.data {
                Some(earlier) => {
                    earlier.push('\n');
                    earlier.push_str(&text);
                }
                None => self.data = Some(text.into_owned()),
            }
        }
        self.line.clear();
        None
    }
}

/// One event of one `data:` line. `data` must be without line breaks, as JSON is.
pub fn event(data: &str) -> String {
    format!("data: {data}\n\n")
}

/// One named event.
pub fn named_event(name: &str, data: &str) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

/// A comment that keeps idle connections open and that clients skip.
pub const PING: &str = ": ping\n\n";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &str = ": ping\n\ndata: {\"a\":1}\n\ndata:{\"b\":\"é\"}\r\n\r\nevent: x\ndata: one\ndata: two\n\ndata: [DONE]\n\n";

    fn whole() -> Vec<String> {
        SseReader::default().feed(STREAM.as_bytes()).expect("short lines")
    }

    #[test]
    fn events_are_read_with_either_line_end() {
        assert_eq!(whole(), ["{\"a\":1}", "{\"b\":\"é\"}", "one\ntwo", "[DONE]"]);
    }

    #[test]
    fn cutting_at_every_byte_changes_nothing() {
        for cut in 0..STREAM.len() {
            let (head, tail) = STREAM.as_bytes().split_at(cut);
            let mut reader = SseReader::default();
            let mut events = reader.feed(head).expect("short lines");
            events.extend(reader.feed(tail).expect("short lines"));
            assert_eq!(events, whole(), "cut at {cut}");
        }
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut reader = SseReader::default();
        let megabyte = vec![b'a'; LINE_MAX];
        assert!(reader.feed(&megabyte).is_ok());
        assert_eq!(reader.feed(b"a"), Err(LineTooLong));
    }

    proptest! {
        #[test]
        fn any_text_cut_anywhere_reads_as_the_whole(text in "[ad:\\r\\n ]{0,40}(data: x(\\r\\n|\\r|\\n){1,3}){0,5}", cut in 0..60_usize) {
            let (head, tail) = text.as_bytes().split_at(cut.min(text.len()));
            let mut reader = SseReader::default();
            let mut events = reader.feed(head).expect("short lines");
            events.extend(reader.feed(tail).expect("short lines"));
            prop_assert_eq!(events, SseReader::default().feed(text.as_bytes()).expect("short lines"));
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = SseReader::default().feed(&bytes);
        }
    }
}
