//! A streamed reply: frames become events of the caller's dialect, silence becomes pings.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use shared::app::serve::{Frame, Opened, Reply};
use shared::http::Body;
use shared::protocol::dialect::{Dialect, Renderer, ReplyHead};
use shared::protocol::sse::PING;
use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::time::timeout;

use super::reply::{STOPPED, begin, head, lost};

/// `opened` is absent when the first ping commits the status before any content.
pub(crate) fn respond(
    dialect: Dialect,
    mut reply: Reply,
    opened: Option<Opened>,
    ping: Duration,
) -> Response<Body> {
    let (sender, frames) = tokio::sync::mpsc::channel(1);
    drop(sender);
    let frames = std::mem::replace(&mut reply.frames, frames);
    let head = head(&reply, opened.as_ref());
    let mut renderer = dialect.renderer();
    let start = if opened.is_some() { renderer.start(head.clone()) } else { PING.to_owned() };
    let writer = Writer { dialect, renderer, head, frames, ping, early: Some(start), over: false };
    let parts =
        futures_util::stream::unfold(
            writer,
            |mut writer| async move { Some((writer.next().await?, writer)) },
        );
    begin(dialect, &reply, opened.as_ref(), "text/event-stream", Body::stream(parts))
}

struct Writer {
    dialect: Dialect,
    renderer: Box<dyn Renderer>,
    head: ReplyHead,
    frames: Receiver<Frame>,
    ping: Duration,
    /// What goes out before any frame is waited for.
    early: Option<String>,
    /// The last event is out; what remains is waiting for the serving task.
    over: bool,
}

impl Writer {
    async fn next(&mut self) -> Option<Bytes> {
        if self.over {
            while self.frames.recv().await.is_some() {}
            return None;
        }
        let mut text = self.early.take().unwrap_or_default();
        if text.is_empty() {
            text = match timeout(self.ping, self.frames.recv()).await {
                Err(_) => PING.to_owned(),
                Ok(frame) => self.write(frame),
            };
        }
        // Frames that are there already share one write.
        while !self.over {
            match self.frames.try_recv() {
                Ok(frame) => text += &self.write(Some(frame)),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => text += &self.write(None),
            }
        }
        Some(Bytes::from(text))
    }

    fn write(&mut self, frame: Option<Frame>) -> String {
        match frame {
            Some(Frame::Open(opened)) => {
                self.head.model = opened.model.unwrap_or_else(|| opened.served_by.clone());
                self.head.served_by = opened.served_by;
                self.head.fingerprint = opened.fingerprint;
                self.head.usage = opened.usage;
                self.renderer.start(self.head.clone())
            }
            Some(Frame::Chunk(chunk)) => chunk
                .deltas
                .iter()
                .filter(|delta| delta.has_content())
                .map(|delta| self.renderer.delta(delta))
                .collect(),
            Some(Frame::End(summary)) => {
                self.over = true;
                // A comment, which clients skip and people read.
                let why = if summary.stopped { format!(": stopped {STOPPED}\n\n") } else { String::new() };
                why + &self.renderer.end(&summary)
            }
            Some(Frame::Failed(failed)) => self.fail(&failed),
            None => self.fail(&lost()),
        }
    }

    fn fail(&mut self, failed: &shared::app::error::GatewayError) -> String {
        self.over = true;
        let report = failed.report(self.dialect);
        tracing::warn!(
            request = self.head.request_id,
            code = report.code,
            internal = failed.internal_message(),
            "stream failed"
        );
        self.renderer.error(&report)
    }
}
