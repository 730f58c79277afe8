//! Calls against a server of one connection a reply, which notes what it was sent.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::config::{Config, SecretRef};
use crate::domain::bound::Bound;
use crate::domain::counter::HoldFacts;
use crate::domain::id::AttemptId;
use crate::domain::money::NanoUsd;
use crate::domain::price::{ModelLimits, Price};
use crate::domain::time::Timestamp;
use crate::protocol::canonical::{Message, Role};

const STREAM: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// Each look finds the next secret.
#[derive(Default)]
struct Rotating(AtomicU32);

#[async_trait]
impl FindSecret for Rotating {
    async fn find_secret(&self, _: &SecretRef) -> Result<String, String> {
        Ok(format!("secret-{}", self.0.fetch_add(1, Ordering::Relaxed) + 2))
    }
}

/// A clock that stands still.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000)
    }
}

/// Answers each connection with the next status; a success streams. Returns the heads it was sent.
async fn server(statuses: &'static [u16]) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("bound"));
    let serving = tokio::spawn(async move {
        let mut seen = Vec::new();
        for status in statuses {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let mut buffer = vec![0_u8; 8192];
            let read = socket.read(&mut buffer).await.expect("a request");
            seen.push(String::from_utf8_lossy(&buffer[..read]).into_owned());
            let body = if *status == 200 { STREAM } else { "{\"error\":{\"message\":\"no\"}}" };
            let length = body.len();
            let reply =
                format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            socket.write_all(reply.as_bytes()).await.expect("written");
        }
        seen
    });
    (url, serving)
}

fn providers(url: &str) -> Providers {
    let document = format!(
        r#"{{"providers": {{"test": {{"base_url": "{url}", "local": true, "secret": "secretsmanager:test"}}}}}}"#
    );
    let config = Config::parse(&document).expect("valid").provider("test").expect("configured");
    let surroundings =
        Surroundings { secrets: Arc::new(Rotating::default()), account: None, clock: Arc::new(Still) };
    Providers::new([(config, Some("secret-1".to_owned()))], &surroundings).expect("a client")
}

fn paid() -> Reservation {
    let facts = HoldFacts {
        request: AttemptId::new(Timestamp::default(), 1),
        tenant: "t".into(),
        key: "k".into(),
        model: "test/m".into(),
        price: "p".into(),
        for_lookup: false,
    };
    let limits = ModelLimits { context_window: 100, max_output_tokens: 10, image_tokens_max: None };
    let price = Price { id: "p".into(), limits, ..Price::default() };
    let bound = Bound { amount: NanoUsd::ZERO, max_output_tokens: 10, tokens: 10 };
    let target = "test/m".parse().expect("a model");
    Reservation::new(facts.request, target, Arc::new(price), bound, Vec::new(), facts)
}

fn question() -> ChatRequest {
    ChatRequest { messages: vec![Message::text(Role::User, "hi")], choices: 1, ..ChatRequest::default() }
}

#[tokio::test]
async fn a_refused_secret_is_looked_up_again_and_the_call_repeated_once() {
    let (url, serving) = server(&[401, 200]).await;
    let stream = providers(&url).open(&paid(), &question()).await.expect("a stream");
    assert_eq!(stream.collect::<Vec<_>>().await.len(), 1);
    let seen = serving.await.expect("no panic");
    assert!(seen[0].contains("authorization: Bearer secret-1\r\n"), "{}", seen[0]);
    assert!(seen[1].contains("authorization: Bearer secret-2\r\n"), "{}", seen[1]);
}

#[tokio::test]
async fn a_provider_that_refuses_every_secret_is_asked_twice_and_no_more() {
    let (url, serving) = server(&[401, 401, 401]).await;
    let providers = providers(&url);
    for _ in 0..2 {
        let refused = providers.open(&paid(), &question()).await.err().expect("refused");
        assert!(matches!(refused, AttemptError::Status { status: 401, .. }), "{refused:?}");
    }
    // The second request came too soon for another look, so three calls in all.
    assert_eq!(serving.await.expect("no panic").len(), 3);
}
