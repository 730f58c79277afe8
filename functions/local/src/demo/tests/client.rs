//! A bare HTTP/1.1 client that tells how a response ended.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection this long without a byte counts as stalled.
const SILENCE: Duration = Duration::from_millis(400);

#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The body came to the end that its framing announces.
    Complete,
    /// The connection closed before that.
    Closed,
    /// RST.
    Reset,
    /// Nothing came any more, and the connection stayed open.
    Silent,
}

#[derive(Debug)]
pub(super) struct Received {
    /// 0 when no head arrived.
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
    pub(super) end: End,
}

pub(super) async fn open(address: SocketAddr, method: &str, path: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: demo\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

pub(super) async fn read_to_end(mut stream: TcpStream) -> Received {
    let mut bytes = Vec::new();
    let end = loop {
        match tokio::time::timeout(SILENCE, stream.read_buf(&mut bytes)).await {
            Err(_) => break End::Silent,
            Ok(Ok(0)) => break End::Closed,
            Ok(Ok(_)) => {}
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionReset => break End::Reset,
            Ok(Err(error)) => panic!("unexpected error: {error}"),
        }
    };
    received(&String::from_utf8(bytes).unwrap(), end)
}

fn received(text: &str, end: End) -> Received {
    let Some((head, rest)) = text.split_once("\r\n\r\n") else {
        return Received { status: 0, head: text.to_owned(), body: String::new(), end };
    };
    let head = head.to_ascii_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let (body, complete) = if head.contains("transfer-encoding: chunked") {
        dechunk(rest)
    } else {
        let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        (rest.to_owned(), rest.len() == length)
    };
    let end = if complete && end == End::Closed { End::Complete } else { end };
    Received { status, head, body, end }
}

fn dechunk(mut rest: &str) -> (String, bool) {
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return (body, true);
        }
        body.push_str(&after[..size]);
        rest = &after[size + 2..];
    }
    (body, false)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(field, _)| *field == name).map(|(_, value)| value)
}

impl Received {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The payloads of the events, in order.
    pub(super) fn events(&self) -> Vec<&str> {
        let events = self.body.split_terminator("\n\n");
        events.map(|event| event.strip_prefix("data: ").unwrap()).collect()
    }

    /// The events that are JSON.
    pub(super) fn chunks(&self) -> Vec<Value> {
        self.events().iter().filter_map(|event| serde_json::from_str(event).ok()).collect()
    }

    pub(super) fn done(&self) -> bool {
        self.events().last() == Some(&"[DONE]")
    }

    /// The streamed text of the first choice.
    pub(super) fn text(&self) -> String {
        let chunks = self.chunks();
        let first = chunks.iter().filter(|chunk| chunk["choices"][0]["index"] == 0);
        first.filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect()
    }
}
