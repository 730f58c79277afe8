//! What goes out by OTLP, and what a receiver that fails costs.

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shared::client::{Reach, client};
use shared::config::Config;
use shared::ports::Observe;
use shared::telemetry::{Otlp, Settings, Telemetry};
use tests::{Setup, TestApp, question};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The environment of a gateway whose receiver is at `port`.
fn telemetry(port: u16, variables: &[(&str, &str)]) -> Arc<Telemetry> {
    let endpoint = format!("http://127.0.0.1:{port}");
    let variable = |name: &str| match name {
        "OTEL_EXPORTER_OTLP_ENDPOINT" => Some(endpoint.clone()),
        name => variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()),
    };
    let settings = Settings::read(variable).expect("valid").expect("an endpoint");
    let otlp = Otlp::new(settings, client(Reach::Any).expect("a client"));
    let config = Config::parse("{}").expect("the defaults");
    Arc::new(Telemetry { otlp: Some(otlp), ..Telemetry::new(&config) })
}

async fn gateway(telemetry: &Arc<Telemetry>) -> TestApp {
    let alone = json!({ "routing": { "primary": "demo/500" } });
    Setup { observer: telemetry.clone(), ..Setup::new(alone) }.start().await
}

type Posts = Arc<Mutex<Vec<(String, Value)>>>;

/// A receiver that keeps path and body of what it is sent, and its port.
async fn receiver() -> (u16, Posts) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let (port, posts) = (listener.local_addr().expect("bound").port(), Posts::default());
    let kept = Arc::clone(&posts);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(take(stream, Arc::clone(&kept)));
        }
    });
    (port, posts)
}

async fn take(mut stream: TcpStream, posts: Posts) -> io::Result<()> {
    let mut read = Vec::new();
    loop {
        if stream.read_buf(&mut read).await? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        if let Ok(body) = serde_json::from_str(body) {
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            posts.lock().expect("nobody panics with it").push((path, body));
            read.clear();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await?;
        }
    }
}

#[tokio::test]
async fn what_the_ratio_leaves_out_is_exported_where_it_failed() {
    let (port, posts) = receiver().await;
    let hardly =
        [("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.000001")];
    let telemetry = telemetry(port, &hardly);
    let gateway = gateway(&telemetry).await;
    let user = gateway.user(json!({})).await;
    let paths = || -> Vec<String> {
        let mut posts = posts.lock().expect("nobody panics with it");
        let mut paths: Vec<String> = posts.drain(..).map(|(path, _)| path).collect();
        paths.sort();
        paths
    };
    assert_eq!(gateway.complete(&user, &question("demo/tokens-3", true)).await.status, 200);
    assert_eq!(paths(), ["/v1/metrics"]);
    assert_eq!(gateway.complete(&user, &question("demo/500", false)).await.status, 503);
    assert_eq!(paths(), ["/v1/metrics", "/v1/traces"]);
}

#[tokio::test]
async fn histograms_count_each_call_once() {
    let (port, posts) = receiver().await;
    let telemetry = telemetry(port, &[]);
    let gateway = gateway(&telemetry).await;
    let user = gateway.user(json!({})).await;
    gateway.complete(&user, &question("demo/tokens-3", true)).await;
    let posts = posts.lock().expect("nobody panics with it");
    let (_, metrics) = posts.iter().find(|(path, _)| path == "/v1/metrics").expect("metrics");
    let metrics =
        metrics["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().expect("a list").clone();
    let named = |name: &str| metrics.iter().filter(|metric| metric["name"] == name).collect::<Vec<_>>();
    assert_eq!(named("gen_ai.client.token.usage").len(), 2, "input and output");
    assert_eq!(named("gen_ai.client.operation.time_to_first_chunk").len(), 1);
    let point = &named("gen_ai.client.operation.duration")[0]["histogram"]["dataPoints"][0];
    let (counts, bounds) = (&point["bucketCounts"], &point["explicitBounds"]);
    let counts: Vec<&str> = counts.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert_eq!(
        (counts.len(), point["count"].as_str()),
        (bounds.as_array().expect("a list").len() + 1, Some("1"))
    );
    assert_eq!(counts.iter().filter(|count| **count == "1").count(), 1);
}

#[tokio::test]
async fn a_receiver_that_hangs_costs_half_a_second_once() {
    // Connections are taken by the kernel, and nobody reads.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let telemetry = telemetry(silent.local_addr().expect("bound").port(), &[]);
    let gateway = gateway(&telemetry).await;
    let user = gateway.user(json!({})).await;
    let began = Instant::now();
    assert_eq!(gateway.complete(&user, &question("demo/tokens-3", true)).await.status, 200);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    gateway.complete(&user, &question("demo/tokens-3", true)).await;
    let began = Instant::now();
    telemetry.flush().await;
    assert!(began.elapsed() < Duration::from_millis(400), "it is left alone: {:?}", began.elapsed());
}
