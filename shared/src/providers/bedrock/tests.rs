use std::net::Ipv4Addr;
use std::sync::Arc;

use async_trait::async_trait;
use aws_credential_types::Credentials;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::config::{Dialect, ProviderConfig, SecretRef};
use crate::domain::bound::Bound;
use crate::domain::counter::HoldFacts;
use crate::domain::id::AttemptId;
use crate::domain::money::NanoUsd;
use crate::domain::price::{ModelLimits, Price};
use crate::domain::reservation::Reservation;
use crate::domain::time::Timestamp;
use crate::ports::{AttemptError, Clock, FindSecret, Upstream};
use crate::protocol::answer::Answer;
use crate::protocol::bedrock::event;
use crate::protocol::canonical::{ChatRequest, Message, ResponseFormat, Role};
use crate::providers::{Providers, Surroundings};
use crate::signing::Account;

const ARN: &str = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-haiku-v1:0";

/// A server of one answer, and the request it got.
async fn server(answer: Vec<u8>) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a call");
        let request = request(&mut stream).await;
        stream.write_all(&answer).await.expect("the caller reads");
        request
    });
    (url, asked)
}

async fn request(stream: &mut TcpStream) -> String {
    let mut request = String::new();
    let mut part = [0; 4096];
    loop {
        let length = stream.read(&mut part).await.expect("the caller writes");
        request.push_str(std::str::from_utf8(&part[..length]).expect("text"));
        if let Some((head, body)) = request.split_once("\r\n\r\n")
            && body.len() >= header(head, "content-length").and_then(|text| text.parse().ok()).unwrap_or(0)
        {
            return request;
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn reply(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn provider(url: &str, secret: Option<&str>) -> Providers {
    let config = ProviderConfig {
        name: "bedrock".to_owned(),
        dialect: Dialect::Bedrock,
        base_url: Some(url.parse().expect("a URL")),
        secret: secret.map(|_| "env:KEY".parse().expect("a reference")),
        local: true,
        region: Some("eu-west-1".to_owned()),
        models: [("claude-3-haiku".to_owned(), ARN.to_owned())].into(),
    };
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("token".to_owned()), None, "tests");
    let surroundings = Surroundings {
        secrets: Arc::new(Nothing),
        account: Some(Account { region: "us-east-1".to_owned(), credentials }),
        clock: Arc::new(Nothing),
    };
    Providers::new([(config, secret.map(str::to_owned))], &surroundings).expect("a client")
}

struct Nothing;

#[async_trait]
impl FindSecret for Nothing {
    async fn find_secret(&self, reference: &SecretRef) -> Result<String, String> {
        Err(format!("{reference} is not known"))
    }
}

impl Clock for Nothing {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_440_938_160_000)
    }
}

fn paid(model: &str) -> Reservation {
    let limits = ModelLimits { context_window: 1000, max_output_tokens: 100, image_tokens_max: None };
    let price = Price { id: "p@1".to_owned(), limits, ..Price::default() };
    let id = AttemptId::new(Timestamp::from_millis(0), 0);
    let facts = HoldFacts {
        request: id,
        tenant: "t".to_owned(),
        key: "k".to_owned(),
        model: model.to_owned(),
        price: price.id.clone(),
        for_lookup: false,
    };
    let bound = Bound { amount: NanoUsd::ZERO, max_output_tokens: 77, tokens: 0 };
    Reservation::new(id, model.parse().expect("a model"), Arc::new(price), bound, Vec::new(), facts)
}

fn asks() -> ChatRequest {
    ChatRequest { messages: vec![Message::text(Role::User, "hi")], choices: 1, ..ChatRequest::default() }
}

/// What the provider at `url` answers.
async fn answered(providers: &Providers, model: &str, request: &ChatRequest) -> Result<Answer, AttemptError> {
    let mut stream = providers.open(&paid(model), request).await?;
    let mut answer = Answer::default();
    while let Some(chunk) = stream.next().await {
        answer.push(&chunk?);
    }
    Ok(answer)
}

fn hello() -> Vec<u8> {
    let body = [
        event("messageStart", &json!({ "role": "assistant" })),
        event("contentBlockDelta", &json!({ "contentBlockIndex": 0, "delta": { "text": "hello" } })),
        event("contentBlockStop", &json!({ "contentBlockIndex": 0 })),
        event("messageStop", &json!({ "stopReason": "end_turn" })),
        event("metadata", &json!({ "usage": { "inputTokens": 3, "outputTokens": 4 } })),
    ];
    reply("200 OK", "content-type: application/vnd.amazon.eventstream\r\n", &body.concat())
}

#[tokio::test]
async fn a_call_is_signed_for_the_region_and_its_stream_is_read() {
    let (url, asked) = server(hello()).await;
    let answer = answered(&provider(&url, None), "bedrock/claude-3-haiku", &asks()).await.expect("an answer");
    assert_eq!(answer.choices[0].content.as_deref(), Some("hello"));
    assert!(answer.is_complete(1));
    assert_eq!((answer.usage.uncached, answer.usage.output), (3, 4));

    let request = asked.await.expect("one request");
    let (head, body) = request.split_once("\r\n\r\n").expect("a request");
    let path = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.anthropic.claude-3-haiku-v1%3A0/converse-stream";
    assert!(head.starts_with(&format!("POST {path} HTTP/1.1\r\n")), "{head}");
    assert_eq!(header(head, "accept"), Some("application/vnd.amazon.eventstream"));
    assert_eq!(header(head, "content-type"), Some("application/json"));
    assert_eq!(header(head, "x-amz-security-token"), Some("token"));
    let authorization = header(head, "authorization").expect("signed");
    assert!(authorization.contains("/20150830/eu-west-1/bedrock/aws4_request"), "{authorization}");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body["inferenceConfig"]["maxTokens"], 77);
}

#[tokio::test]
async fn a_secret_takes_the_place_of_the_signature() {
    let (url, asked) = server(hello()).await;
    let providers = provider(&url, Some("bedrock-api-key"));
    answered(&providers, "bedrock/meta.llama3-v1:0", &asks()).await.expect("an answer");
    let request = asked.await.expect("one request");
    assert!(request.starts_with("POST /model/meta.llama3-v1%3A0/converse-stream HTTP/1.1\r\n"), "{request}");
    assert_eq!(header(&request, "authorization"), Some("Bearer bedrock-api-key"));
    assert_eq!(header(&request, "x-amz-date"), None);
}

#[tokio::test]
async fn a_structured_answer_that_was_forced_comes_as_text() {
    let tool = json!({ "toolUse": { "toolUseId": "t", "name": "structured_answer" } });
    let input = json!({ "toolUse": { "input": "{\"a\":1}" } });
    let body = [
        event("contentBlockStart", &json!({ "contentBlockIndex": 0, "start": tool })),
        event("contentBlockDelta", &json!({ "contentBlockIndex": 0, "delta": input })),
        event("messageStop", &json!({ "stopReason": "tool_use" })),
    ];
    let (url, _asked) = server(reply("200 OK", "", &body.concat())).await;
    let request = ChatRequest { response_format: Some(ResponseFormat::JsonObject), ..asks() };
    let answer =
        answered(&provider(&url, None), "bedrock/claude-3-haiku", &request).await.expect("an answer");
    assert_eq!(answer.choices[0].content.as_deref(), Some("{\"a\":1}"));
    assert!(answer.choices[0].tool_calls.is_empty());
}

#[tokio::test]
async fn an_error_before_the_stream_is_named_by_its_header() {
    let cases = [
        ("400 Bad Request", "ValidationException:http://internal.amazon.com/", r#"{"message":"no"}"#),
        ("403 Forbidden", "AccessDeniedException", r#"{"Message":"no"}"#),
        ("424 Failed Dependency", "ModelErrorException", r#"{"message":"no","originalStatusCode":500}"#),
    ];
    for (status, name, body) in cases {
        let headers = format!("x-amzn-errortype: {name}\r\n");
        let (url, _asked) = server(reply(status, &headers, body.as_bytes())).await;
        let error =
            answered(&provider(&url, None), "bedrock/claude-3-haiku", &asks()).await.expect_err(status);
        let expected = AttemptError::Status {
            status: status[..3].parse().expect("a number"),
            message: "no".to_owned(),
            code: name.split(':').next().map(str::to_owned),
            retry_after: None,
        };
        assert_eq!(error, expected);
    }
}

#[tokio::test]
async fn a_body_that_is_cut_inside_a_frame_is_no_answer() {
    let whole = event("contentBlockDelta", &json!({ "contentBlockIndex": 0, "delta": { "text": "hel" } }));
    let (url, _asked) = server(reply("200 OK", "", &[&whole[..], &whole[..20]].concat())).await;
    let answer = answered(&provider(&url, None), "bedrock/claude-3-haiku", &asks()).await.expect("what came");
    assert_eq!(answer.choices[0].content.as_deref(), Some("hel"));
    assert!(!answer.is_complete(1));
}
