use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::client::{Reach, client};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn aws(endpoint: String) -> AwsConfig {
    let variables = [
        ("AWS_REGION", "eu-west-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKID".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
        ("AWS_SESSION_TOKEN", "session".to_owned()),
        ("AWS_ENDPOINT_URL", endpoint),
    ];
    let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
    AwsConfig::from_lookup(lookup).expect("complete")
}

fn secrets(aws: Option<AwsConfig>) -> Secrets {
    Secrets::new(client(Reach::Any).expect("a client"), aws)
}

/// Answers every connection with the next of `replies` and returns what it was sent.
async fn server(replies: Vec<(u16, &'static str)>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let serving = tokio::spawn(async move {
        let mut seen = Vec::new();
        for (status, body) in replies {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let mut buffer = vec![0_u8; 8192];
            let read = socket.read(&mut buffer).await.expect("a request");
            seen.push(String::from_utf8_lossy(&buffer[..read]).to_lowercase());
            let length = body.len();
            let reply =
                format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            socket.write_all(reply.as_bytes()).await.expect("written");
        }
        seen
    });
    (url, serving)
}

async fn resolve(reference: &str, secrets: &Secrets) -> Result<String, String> {
    let reference = reference.parse().expect("a reference");
    secrets.resolve(&reference, NOW).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn the_environment_needs_no_aws() {
    let found = resolve("env:CARGO_PKG_NAME", &secrets(None)).await;
    assert_eq!(found.as_deref(), Ok("shared"));
    let missing = resolve("env:NO_SUCH_VARIABLE", &secrets(None)).await;
    assert_eq!(missing.unwrap_err(), "secret env:NO_SUCH_VARIABLE: the variable is not set");
    let no_aws = resolve("secretsmanager:pepper", &secrets(None)).await;
    assert!(no_aws.unwrap_err().contains("AWS region and credentials are not set"));
}

#[tokio::test]
async fn a_secret_is_fetched_with_one_signed_call_that_survives_a_passing_failure() {
    let (url, serving) =
        server(vec![(503, "{}"), (200, r#"{"Name":"pepper","SecretString":"grain"}"#)]).await;
    let found = resolve("secretsmanager:tollgate/pepper", &secrets(Some(aws(url)))).await;
    assert_eq!(found.as_deref(), Ok("grain"));
    let seen = serving.await.expect("served");
    for part in [
        "post / http/1.1",
        "x-amz-target: secretsmanager.getsecretvalue",
        "x-amz-security-token: session",
        "authorization: aws4-hmac-sha256 credential=akid/20270115/eu-west-1/secretsmanager/aws4_request",
        r#"{"secretid":"tollgate/pepper"}"#,
    ] {
        assert!(seen[1].contains(part), "{part} in {}", seen[1]);
    }
}

#[tokio::test]
async fn a_refusal_is_told_at_once_without_the_body() {
    let body = r#"{"__type":"com.amazonaws#ResourceNotFoundException","Message":"no canary here"}"#;
    let (url, _serving) = server(vec![(400, body)]).await;
    let refused = resolve("secretsmanager:pepper", &secrets(Some(aws(url)))).await.unwrap_err();
    assert!(refused.contains("ResourceNotFoundException"), "{refused}");
    assert!(!refused.contains("canary"), "{refused}");
}

#[test]
fn the_endpoint_follows_the_region() {
    let mut config = aws("http://unused".to_owned());
    config.endpoint = None;
    config.region = "cn-north-1".to_owned();
    let request = get_secret_value(&config, "a", NOW).expect("a request");
    assert_eq!(request.uri().host(), Some("secretsmanager.cn-north-1.amazonaws.com.cn"));
}
