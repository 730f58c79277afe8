//! A bare HTTP/1.1 client that tells how a response ended.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection this long without a byte counts as stalled.
const SILENCE: Duration = Duration::from_millis(400);
const HEAD_END: &[u8] = b"\r\n\r\n";
const LINE_END: &[u8] = b"\r\n";

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
    pub(super) body: Vec<u8>,
    pub(super) end: End,
}

pub(super) async fn open(address: SocketAddr, method: &str, path: &str, body: &str) -> TcpStream {
    open_with(address, method, path, "", body).await
}

/// The same with headers, each with its line end.
pub(super) async fn open_with(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: demo\r\nconnection: close\r\n{headers}\
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
    received(&bytes, end)
}

fn received(bytes: &[u8], end: End) -> Received {
    let Some((head, rest)) = split(bytes, HEAD_END) else {
        let head = String::from_utf8(bytes.to_vec()).unwrap();
        return Received { status: 0, head, body: Vec::new(), end };
    };
    let head = String::from_utf8(head.to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let (body, complete) = if header(&head, "transfer-encoding") == Some("chunked") {
        dechunk(rest)
    } else {
        let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        (rest.to_vec(), rest.len() == length)
    };
    let end = if complete && end == End::Closed { End::Complete } else { end };
    Received { status, head, body, end }
}

fn dechunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some((size, after)) = split(rest, LINE_END) {
        let size = usize::from_str_radix(str::from_utf8(size).unwrap(), 16).unwrap();
        if size == 0 {
            return (body, true);
        }
        body.extend_from_slice(&after[..size]);
        rest = &after[size + LINE_END.len()..];
    }
    (body, false)
}

fn split<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(mark.len()).position(|window| window == mark)?;
    Some((&bytes[..at], &bytes[at + mark.len()..]))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

impl Received {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn is_json(&self) -> bool {
        serde_json::from_slice::<Value>(&self.body).is_ok()
    }

    /// The payloads of the events, in order.
    pub(super) fn events(&self) -> Vec<String> {
        let body = String::from_utf8_lossy(&self.body);
        let events = body.split_terminator("\n\n");
        events.map(|event| event.split_once("data: ").unwrap().1.to_owned()).collect()
    }

    /// The events that are JSON.
    pub(super) fn chunks(&self) -> Vec<Value> {
        self.events().iter().filter_map(|event| serde_json::from_str(event).ok()).collect()
    }

    pub(super) fn done(&self) -> bool {
        self.events().last().is_some_and(|event| event == "[DONE]")
    }

    /// The streamed text of the first choice.
    pub(super) fn text(&self) -> String {
        let chunks = self.chunks();
        let first = chunks.iter().filter(|chunk| chunk["choices"][0]["index"] == 0);
        first.filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect()
    }
}
