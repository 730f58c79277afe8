use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_cbor::Encoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::aws::http_client;
use crate::client::{Reach, client};

/// 2027-01-15T08:00:00Z, the beginning of a block.
const AT: i64 = 1_800_000_000;

fn answer(requests: f64, fallback: f64, p95: f64) -> Vec<u8> {
    results(&[("requests", requests), ("could", requests), ("fallback", fallback), ("duration", p95)])
}

fn results(series: &[(&str, f64)]) -> Vec<u8> {
    let mut cbor = Encoder::new(Vec::new());
    cbor.map(1).str("MetricDataResults").array(series.len());
    for (id, value) in series {
        cbor.map(2).str("Id").str(id).str("Values").array(1).double(*value);
    }
    cbor.into_writer()
}

fn refusal() -> Vec<u8> {
    let mut cbor = Encoder::new(Vec::new());
    cbor.map(2).str("__type").str("com.amazonaws.cloudwatch#AccessDenied").str("message").str("not yours");
    cbor.into_writer()
}

/// Answers each request of CloudWatch with `block` and each of SQS with three messages; returns its address,
/// how often CloudWatch was asked, and the last of these requests.
async fn server(
    status: u16,
    block: Vec<u8>,
) -> (String, Arc<AtomicUsize>, tokio::sync::watch::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let (asked, (told, last)) = (Arc::new(AtomicUsize::new(0)), tokio::sync::watch::channel(String::new()));
    let counted = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let mut buffer = vec![0_u8; 16_384];
            let read = socket.read(&mut buffer).await.expect("a request");
            let request = String::from_utf8_lossy(&buffer[..read]).into_owned();
            let is_metrics = request.contains("GetMetricData");
            let (status, body) = match is_metrics {
                true => (status, block.clone()),
                false => (200, br#"{"Attributes":{"ApproximateNumberOfMessages":"3"}}"#.to_vec()),
            };
            counted.fetch_add(usize::from(is_metrics), Ordering::SeqCst);
            if is_metrics {
                told.send_replace(request);
            }
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} X\r\nsmithy-protocol: rpc-v2-cbor\r\ncontent-type: application/cbor\r\n\
                 content-length: {length}\r\nconnection: close\r\n\r\n"
            );
            // Whoever has read enough does not wait for the rest.
            let _ = socket.write_all(&[head.into_bytes(), body].concat()).await;
        }
    });
    (url, asked, last)
}

fn metrics(endpoint: &str) -> CloudMetrics {
    let variables = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL", endpoint),
    ];
    let found =
        |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    let aws = AwsConfig::from_lookup(found).expect("complete");
    let http = http_client(client(Reach::Any).expect("a client"));
    CloudMetrics::new(&aws, &http, vec![("settle".to_owned(), format!("{endpoint}/1/settle"))])
}

fn after(seconds: i64) -> Timestamp {
    Timestamp::from_millis((AT + seconds) * 1000)
}

#[tokio::test]
async fn a_whole_block_is_read_once_by_a_signed_call_and_the_queues_each_time() {
    let (url, asked, last) = server(200, answer(40.0, 0.25, 612.4)).await;
    let metrics = metrics(&url);
    for seconds in [420, 480, 719] {
        let vitals = metrics.vitals(after(seconds)).await.expect("read");
        assert_eq!((vitals.p95_ms, vitals.fallback_ppm), (Some(613), Some(250_000)));
        assert_eq!(metrics.dead_letters().await, Ok(vec![("settle".to_owned(), 3)]));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let request = last.borrow().clone();
    for part in [
        "/operation/GetMetricData",
        "/eu-west-1/monitoring/aws4_request",
        "Tollgate",
        "tollgate.gateway.duration",
        "p95",
    ] {
        assert!(request.contains(part), "{part} in {request}");
    }
    metrics.vitals(after(720)).await.expect("read");
    assert_eq!(asked.load(Ordering::SeqCst), 2, "the next block is whole");
}

#[tokio::test]
async fn a_few_requests_say_nothing() {
    for body in [answer(19.0, 1.0, 5_000.0), results(&[])] {
        let (url, ..) = server(200, body).await;
        assert_eq!(metrics(&url).vitals(after(0)).await, Ok(Vitals::default()));
    }
}

#[tokio::test]
async fn a_metric_that_is_switched_off_takes_no_other_with_it() {
    let (url, ..) = server(200, results(&[("requests", 40.0), ("duration", 700.0)])).await;
    let expected = Vitals { p95_ms: Some(700), fallback_ppm: None };
    assert_eq!(metrics(&url).vitals(after(0)).await, Ok(expected));
}

#[tokio::test]
async fn a_refusal_names_its_kind_and_is_asked_again() {
    let (url, asked, _) = server(400, refusal()).await;
    let metrics = metrics(&url);
    for _ in 0..2 {
        let why = metrics.vitals(after(0)).await.expect_err("refused").to_string();
        assert_eq!(why, "store rejected the call: AccessDenied: not yours");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}
