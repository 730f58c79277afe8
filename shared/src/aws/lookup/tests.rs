use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::client::{Reach, client};
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000)
    }
}

fn lookup(endpoint: &str) -> LambdaLookup {
    let variables = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "session"),
        ("AWS_ENDPOINT_URL", endpoint),
    ];
    let found =
        |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    let aws = AwsConfig::from_lookup(found).expect("complete");
    LambdaLookup::new(client(Reach::Any).expect("a client"), aws, "gateway-cache".to_owned(), Arc::new(Fixed))
}

fn question(text: &str) -> Question {
    let document = json!({ "tenant": "acme", "partition": "p", "model": "demo/ok", "text": text });
    serde_json::from_value(document).expect("a question")
}

/// Answers one connection, and returns what it was sent.
async fn server(status: u16, header: &str, body: &str) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let length = body.len();
    let reply =
        format!("HTTP/1.1 {status} X\r\n{header}content-length: {length}\r\nconnection: close\r\n\r\n{body}");
    let serving = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        let mut buffer = vec![0_u8; 8192];
        let read = socket.read(&mut buffer).await.expect("a request");
        // Whoever has read enough does not wait for the rest.
        let _ = socket.write_all(reply.as_bytes()).await;
        String::from_utf8_lossy(&buffer[..read]).to_lowercase()
    });
    (url, serving)
}

async fn refused(status: u16, header: &str, body: &str) -> String {
    let (url, _serving) = server(status, header, body).await;
    lookup(&url).look_up(&question("Who?")).await.expect_err("refused").to_string()
}

#[tokio::test]
async fn a_question_is_one_signed_invocation_and_its_answer_the_finding() {
    let (url, serving) = server(200, "", r#"{"verdict":"below_threshold","similarity":0.75}"#).await;
    let found = lookup(&url).look_up(&question("Who?")).await.expect("a finding");
    assert_eq!((found.verdict, found.similarity), (Verdict::BelowThreshold, Some(0.75)));
    let seen = serving.await.expect("served");
    for part in [
        "post /2015-03-31/functions/gateway-cache/invocations http/1.1",
        "x-amz-invocation-type: requestresponse",
        "x-amz-security-token: session",
        "credential=akid/20270115/eu-west-1/lambda/aws4_request",
        r#"{"tenant":"acme","partition":"p","model":"demo/ok","text":"who?"}"#,
    ] {
        assert!(seen.contains(part), "{part} in {seen}");
    }
}

#[tokio::test]
async fn an_error_of_the_function_is_told_by_its_kind_alone() {
    let body = r#"{"errorMessage":"canary","errorType":"Boom"}"#;
    let why = refused(200, "X-Amz-Function-Error: Unhandled\r\n", body).await;
    assert_eq!(why, "the lookup failed: the function failed: Unhandled");
}

#[tokio::test]
async fn throttles_and_refusals_name_their_reason() {
    let throttled = refused(429, "x-amzn-errortype: TooManyRequestsException\r\n", "{}").await;
    assert_eq!(throttled, "the lookup failed: throttled: TooManyRequestsException");
    let absent = refused(404, "x-amzn-errortype: ResourceNotFoundException\r\n", "{}").await;
    assert!(absent.ends_with("Lambda answered 404 Not Found: ResourceNotFoundException"), "{absent}");
}

#[tokio::test]
async fn what_is_no_finding_fails() {
    assert!(refused(200, "", "null").await.contains("its answer is no finding"));
    assert!(refused(200, "", &" ".repeat(ANSWER_MAX + 1)).await.contains("too long"));
    let gone = lookup("http://127.0.0.1:1").look_up(&question("Who?")).await.expect_err("nobody listens");
    assert!(matches!(gone, LookupError::Failed(_)));
}

#[test]
fn a_payload_beyond_the_limit_is_not_sent() {
    let refused =
        lookup("http://unused").invocation(&question(&"a".repeat(PAYLOAD_MAX))).expect_err("too long");
    assert!(refused.contains("beyond Lambda's limit"), "{refused}");
}

#[test]
fn the_endpoint_follows_the_region() {
    let mut lookup = lookup("http://unused");
    lookup.aws.endpoint = None;
    lookup.aws.region = "cn-north-1".to_owned();
    let request = lookup.invocation(&question("Who?")).expect("a request");
    assert_eq!(request.uri().host(), Some("lambda.cn-north-1.amazonaws.com.cn"));
}
