//! Slack and PagerDuty on a port of loopback.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a channel answers to the next requests, in order: a status, and a header. Then it takes everything.
pub(super) type Refusals = Vec<(u16, &'static str)>;

#[derive(Default)]
pub(super) struct Seen {
    pub(super) refusals: BTreeMap<String, Refusals>,
    /// Requests, by path.
    pub(super) asked: BTreeMap<String, usize>,
    /// Bodies that were taken, by path.
    pub(super) taken: BTreeMap<String, Vec<Value>>,
    /// How often PagerDuty opened an incident, by its key.
    pub(super) opened: BTreeMap<String, usize>,
    pub(super) open: BTreeSet<String>,
}

pub(super) struct Server {
    pub(super) url: String,
    seen: Arc<Mutex<Seen>>,
}

impl Server {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("a connection");
                tokio::spawn(answer(socket, Arc::clone(&shared)));
            }
        });
        Server { url, seen }
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("no panic")
    }

    pub(super) fn refuse(&self, path: &str, refusals: Refusals) {
        self.seen().refusals.insert(path.to_owned(), refusals);
    }

    /// The ids of the alerts that Slack took, as its messages name them.
    pub(super) fn slack(&self) -> Vec<String> {
        let seen = self.seen();
        let id = |message: &Value| {
            let blocks = message["blocks"].as_array().expect("blocks");
            let note = blocks.last().expect("a note")["elements"][0]["text"].as_str().expect("text");
            note.rsplit(' ').next().expect("an id").to_owned()
        };
        seen.taken.get("/slack").into_iter().flatten().map(id).collect()
    }
}

async fn answer(mut socket: TcpStream, seen: Arc<Mutex<Seen>>) {
    let (path, body) = request(&mut socket).await;
    let (status, header) = seen.lock().expect("no panic").take(&path, &body);
    let head = format!("HTTP/1.1 {status} X\r\n{header}content-length: 0\r\nconnection: close\r\n\r\n");
    // Whoever is gone does not read it.
    let _ = socket.write_all(head.as_bytes()).await;
}

async fn request(socket: &mut TcpStream) -> (String, Value) {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                let path = head.split(' ').nth(1).expect("a path").to_owned();
                return (path, serde_json::from_str(body).expect("JSON"));
            }
        }
        let mut buffer = [0_u8; 4096];
        let read = socket.read(&mut buffer).await.expect("a request");
        assert!(read > 0, "a request that breaks off: {text}");
        bytes.extend_from_slice(&buffer[..read]);
    }
}

impl Seen {
    fn take(&mut self, path: &str, body: &Value) -> (u16, &'static str) {
        *self.asked.entry(path.to_owned()).or_default() += 1;
        let refusals = self.refusals.get_mut(path).filter(|refusals| !refusals.is_empty());
        if let Some(refusals) = refusals {
            return refusals.remove(0);
        }
        self.taken.entry(path.to_owned()).or_default().push(body.clone());
        if let (Some(action), Some(key)) = (body["event_action"].as_str(), body["dedup_key"].as_str()) {
            match action {
                "trigger" if self.open.insert(key.to_owned()) => {
                    *self.opened.entry(key.to_owned()).or_default() += 1
                }
                // One that is resolved already is left so.
                "resolve" => _ = self.open.remove(key),
                _ => {}
            }
        }
        (202, "")
    }
}
