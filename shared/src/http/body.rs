//! The body of a reply: whole or streamed, and never failing. Lambda would write an error into
//! the stream as data, so what goes wrong is told inside it, in the caller's dialect.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use http_body::{Frame, SizeHint};

pub struct Body {
    pub(super) parts: Pin<Box<dyn Stream<Item = Bytes> + Send>>,
    /// Known for whole bodies, so that a plain server can send `content-length`.
    left: Option<u64>,
}

impl Body {
    pub fn whole(text: impl Into<Bytes>) -> Self {
        let bytes = text.into();
        let left = Some(bytes.len() as u64);
        Body { parts: Box::pin(futures_util::stream::iter([bytes])), left }
    }

    /// Whole, but with work to do after the bytes are out: `tail` is polled to its end.
    pub fn whole_then(text: impl Into<Bytes>, tail: impl Future<Output = ()> + Send + 'static) -> Self {
        Body::whole(text).then(tail)
    }

    /// The same, with work to do after the bytes are out. A server that was told the length may leave
    /// the tail unpolled and drop it.
    pub fn then(self, tail: impl Future<Output = ()> + Send + 'static) -> Self {
        use futures_util::StreamExt;
        let tail = futures_util::stream::once(tail).filter_map(|()| std::future::ready(None));
        Body { parts: Box::pin(self.parts.chain(tail)), left: self.left }
    }

    pub fn stream(parts: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Body { parts: Box::pin(parts), left: None }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("left", &self.left).finish_non_exhaustive()
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let part = std::task::ready!(self.parts.as_mut().poll_next(context));
        if let (Some(part), Some(left)) = (&part, &mut self.left) {
            *left = left.saturating_sub(part.len() as u64);
        }
        Poll::Ready(part.map(|part| Ok(Frame::data(part))))
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map(SizeHint::with_exact).unwrap_or_default()
    }
}
