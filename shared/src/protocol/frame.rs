//! What a provider said in one event of its stream, and how a dialect's stream is read.

use super::canonical::Chunk;

#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    Chunk(Chunk),
    /// The provider reported an error inside a 200.
    Error {
        message: String,
        code: Option<String>,
    },
    /// The provider's own end mark.
    Done,
}

/// Reads the bytes of one stream. Cutting them anywhere changes nothing about the frames.
pub trait Decoder: Send {
    /// Feeds bytes and returns the frames they complete, in order. An `Err` is the reason why the
    /// stream cannot be read on; nothing follows it.
    fn feed(&mut self, bytes: &[u8]) -> Vec<Result<Frame, String>>;
}
