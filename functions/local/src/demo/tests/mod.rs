//! The demo provider over real sockets, read byte by byte so that the way a connection ends shows.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{Demo, serve};
use client::{End, Received};

mod answers;
mod client;
mod control;
mod converse;
mod dialect;
mod embeddings;
mod faults;
mod invoke;
mod messages;
mod plain;
mod said;
mod same;
mod script;
mod stream;

/// A running provider on a free port.
struct Provider {
    demo: Demo,
    address: SocketAddr,
    server: JoinHandle<std::io::Result<()>>,
}

impl Provider {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let demo = Demo::new();
        let server = tokio::spawn(serve(listener, demo.clone(), std::future::pending()));
        Self { demo, address, server }
    }

    async fn ask(&self, body: &Value) -> Received {
        self.send("POST", "/v1/chat/completions", &body.to_string()).await
    }

    async fn send(&self, method: &str, path: &str, body: &str) -> Received {
        self.send_with(method, path, "", body).await
    }

    async fn send_with(&self, method: &str, path: &str, headers: &str, body: &str) -> Received {
        let connection = client::open_with(self.address, method, path, headers, body).await;
        client::read_to_end(connection).await
    }

    async fn get(&self, path: &str) -> Value {
        let received = self.send("GET", path, "").await;
        assert_eq!(received.status, 200);
        received.json()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A request with a prompt of four words.
fn request(model: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": "one two three four" }] })
}

fn streamed(model: &str) -> Value {
    let mut request = request(model);
    request["stream"] = json!(true);
    request["stream_options"] = json!({ "include_usage": true });
    request
}

fn with(mut request: Value, field: &str, value: Value) -> Value {
    request[field] = value;
    request
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}
