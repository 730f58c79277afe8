use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use super::{End, Provider, client, millis, request, streamed, with};

#[tokio::test]
async fn a_streamed_answer_has_the_shape_of_the_dialect() {
    let provider = Provider::start().await;
    let received = provider.ask(&streamed("tokens-2")).await;
    assert_eq!(received.end, End::Complete);
    assert_eq!(received.header("content-type"), Some("text/event-stream; charset=utf-8"));

    let chunks = received.chunks();
    for chunk in &chunks {
        assert_eq!(chunk["id"], "chatcmpl-demo-1");
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert_eq!(chunk["model"], "demo/tokens-2");
        assert!(chunk["created"].is_u64());
    }
    let choice = |chunk: &Value| chunk["choices"][0].clone();
    let deltas: Vec<Value> = chunks.iter().map(|chunk| choice(chunk)["delta"].take()).collect();
    let role = json!({ "role": "assistant", "content": "", "refusal": null });
    let [this, is] = [json!({ "content": "This" }), json!({ "content": " is" })];
    assert_eq!(deltas, [role, this, is, json!({}), json!(null)]);
    let finish = json!({ "index": 0, "delta": {}, "logprobs": null, "finish_reason": "stop" });
    assert_eq!(choice(&chunks[3]), finish);
    assert_eq!(choice(&chunks[2])["finish_reason"], json!(null));
    assert_eq!(chunks[4]["choices"], json!([]));
}

#[tokio::test]
async fn the_usage_chunk_is_the_last_before_done() {
    let provider = Provider::start().await;
    let received = provider.ask(&streamed("tokens-2")).await;
    let chunks = received.chunks();
    assert_eq!(chunks.len(), 5);
    assert!(chunks[..4].iter().all(|chunk| chunk.get("usage") == Some(&json!(null))));
    assert_eq!(chunks[4]["usage"]["prompt_tokens"], 4);
    assert_eq!(chunks[4]["usage"]["completion_tokens"], 2);
    assert_eq!(chunks[4]["usage"]["total_tokens"], 6);
    assert!(received.done());
}

#[tokio::test]
async fn usage_comes_only_when_asked_for_and_scripted() {
    let provider = Provider::start().await;
    let unasked = with(request("ok"), "stream", json!(true));
    for body in [unasked, streamed("nousage")] {
        let received = provider.ask(&body).await;
        let chunks = received.chunks();
        assert!(chunks.iter().all(|chunk| chunk.get("usage").is_none()));
        assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "stop");
        assert!(received.done());
    }
}

#[tokio::test]
async fn a_stream_says_the_same_as_a_plain_answer() {
    let provider = Provider::start().await;
    let plain = provider.ask(&request("ok")).await.json();
    let received = provider.ask(&streamed("ok")).await;
    assert_eq!(plain["choices"][0]["message"]["content"], received.text());
    assert_eq!(plain["usage"], received.chunks().last().unwrap()["usage"]);

    let limited = provider.ask(&with(streamed("ok"), "max_tokens", json!(2))).await;
    assert_eq!(limited.text(), "This is");
    assert_eq!(limited.chunks()[3]["choices"][0]["finish_reason"], "length");
}

#[tokio::test]
async fn choices_are_interleaved() {
    let provider = Provider::start().await;
    let received = provider.ask(&with(streamed("tokens-2"), "n", json!(2))).await;
    let chunks = received.chunks();
    let indexes: Vec<_> = chunks.iter().filter_map(|c| c["choices"][0]["index"].as_u64()).collect();
    assert_eq!(indexes, [0, 1, 0, 1, 0, 1, 0, 1]);
    assert_eq!(chunks.last().unwrap()["usage"]["completion_tokens"], 4);
    assert_eq!(provider.demo.charged("tokens-2").completion_tokens, 4);
}

#[tokio::test]
async fn a_delayed_stream_sends_its_headers_at_once() {
    let provider = Provider::start().await;
    let body = streamed("delay-200").to_string();
    let begun = Instant::now();
    let mut connection = client::open(provider.address, "POST", "/v1/chat/completions", &body).await;
    let mut head = Vec::with_capacity(4096);
    connection.read_buf(&mut head).await.unwrap();
    assert!(head.starts_with(b"HTTP/1.1 200 OK\r\n") && head.ends_with(b"\r\n\r\n"));
    let mut first = Vec::new();
    connection.read_buf(&mut first).await.unwrap();
    assert!(begun.elapsed() >= millis(200));
    assert!(!first.is_empty());
}

#[tokio::test]
async fn a_paced_stream_waits_between_tokens() {
    let provider = Provider::start().await;
    let begun = Instant::now();
    let received = provider.ask(&streamed("pace-20+tokens-6")).await;
    assert!(begun.elapsed() >= millis(100));
    assert!(received.done());
}

#[tokio::test]
async fn a_caller_who_leaves_is_charged_as_far_as_the_answer_got() {
    let provider = Provider::start().await;
    let body = streamed("pace-5+tokens-1000").to_string();
    let mut connection = client::open(provider.address, "POST", "/v1/chat/completions", &body).await;
    let mut seen = Vec::new();
    while seen.len() < 1500 {
        connection.read_buf(&mut seen).await.unwrap();
    }
    drop(connection);
    tokio::time::sleep(millis(100)).await;
    let left = provider.demo.charged("pace-5+tokens-1000");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(provider.demo.charged("pace-5+tokens-1000"), left);
    assert_eq!(left.prompt_tokens, 4);
    assert!((3..200).contains(&left.completion_tokens), "{left:?}");
}
