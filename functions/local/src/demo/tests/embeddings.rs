use aws_smithy_types::base64;
use serde_json::{Value, json};

use super::{End, Provider, Received, with};

pub(super) fn floats(vector: &Value) -> Vec<f32> {
    vector.as_array().unwrap().iter().map(|value| value.as_f64().unwrap() as f32).collect()
}

pub(super) fn length(vector: &[f32]) -> f32 {
    vector.iter().map(|value| value * value).sum::<f32>().sqrt()
}

fn body(model: &str, input: Value) -> Value {
    json!({ "model": model, "input": input })
}

async fn post(provider: &Provider, body: &Value) -> Received {
    provider.send("POST", "/v1/embeddings", &body.to_string()).await
}

async fn vectors(provider: &Provider, body: &Value) -> Vec<Vec<f32>> {
    let list = post(provider, body).await.json();
    list["data"].as_array().unwrap().iter().map(|entry| floats(&entry["embedding"])).collect()
}

#[tokio::test]
async fn embeddings_have_the_shape_of_the_dialect() {
    let provider = Provider::start().await;
    let mut list = post(&provider, &body("demo/ok", json!(["one two", "three"]))).await.json();
    for entry in list["data"].as_array_mut().unwrap() {
        let vector = floats(&entry["embedding"].take());
        assert_eq!(vector.len(), 8);
        assert!((length(&vector) - 1.0).abs() < 1e-5);
    }
    let expected = json!({
        "object": "list",
        "data": [
            { "object": "embedding", "index": 0, "embedding": null },
            { "object": "embedding", "index": 1, "embedding": null },
        ],
        "model": "demo/ok",
        "usage": { "prompt_tokens": 3, "total_tokens": 3 },
    });
    assert_eq!(list, expected);
    let charged = provider.demo.charged("ok");
    assert_eq!((charged.prompt_tokens, charged.completion_tokens), (3, 0));
    assert_eq!(provider.demo.calls("ok"), 1);
}

#[tokio::test]
async fn a_text_has_one_vector_and_no_other_has_it() {
    let provider = Provider::start().await;
    let list = vectors(&provider, &body("ok", json!(["same", "same", "other"]))).await;
    assert_eq!(list[0], list[1]);
    assert_ne!(list[0], list[2]);
    assert_eq!(vectors(&provider, &body("ok", json!("same"))).await, [list[0].clone()]);
}

#[tokio::test]
async fn tokens_are_embedded_like_texts() {
    let provider = Provider::start().await;
    let [one] = &vectors(&provider, &body("ok", json!([1, 2, 3]))).await[..] else { panic!("one list") };
    let two = vectors(&provider, &body("ok", json!([[1, 2, 3], [4]]))).await;
    assert_eq!((two.len(), &two[0]), (2, one));
    assert_ne!(two[1], *one);
    assert_eq!(provider.demo.charged("ok").prompt_tokens, 7);
}

#[tokio::test]
async fn base64_is_the_same_floats() {
    let provider = Provider::start().await;
    let body = with(body("ok", json!("text")), "dimensions", json!(40));
    let expected = &vectors(&provider, &body).await[0];
    let list = post(&provider, &with(body, "encoding_format", json!("base64"))).await.json();
    let bytes = base64::decode(list["data"][0]["embedding"].as_str().unwrap()).unwrap();
    let floats: Vec<f32> =
        bytes.chunks_exact(4).map(|chunk| f32::from_le_bytes(chunk.try_into().unwrap())).collect();
    assert_eq!((floats.len(), &floats), (40, expected));
}

#[tokio::test]
async fn faults_hold_for_embeddings() {
    let provider = Provider::start().await;
    let ask = |model: &str| body(model, json!("text"));
    let limited = post(&provider, &ask("429-retry-2")).await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("2")));
    assert_eq!(limited.json()["error"]["type"], "requests");
    assert_eq!(post(&provider, &ask("hang")).await.status, 0);
    let cut = post(&provider, &ask("cut-3")).await;
    assert_eq!((cut.status, cut.end, &*cut.body), (200, End::Complete, &b""[..]));
    assert!(!post(&provider, &ask("badjson-0")).await.is_json());
    assert_eq!(post(&provider, &ask("error-0")).await.json()["error"]["type"], "server_error");
    assert_eq!(post(&provider, &ask("nousage")).await.json().get("usage"), None);
    assert_eq!(post(&provider, &ask("text-embedding-3-small")).await.status, 404);
    assert_eq!(provider.demo.bill().into_keys().collect::<Vec<_>>(), ["nousage"]);
}

#[tokio::test]
async fn malformed_embeddings_get_an_invalid_request_error() {
    let provider = Provider::start().await;
    for (body, param) in [
        (body("ok", json!([])), json!("input")),
        (body("ok", json!("")), json!("input")),
        (body("ok", json!(7)), json!(null)),
        (with(body("ok", json!("text")), "dimensions", json!(0)), json!("dimensions")),
        (with(body("ok", json!("text")), "encoding_format", json!("hex")), json!(null)),
    ] {
        let received = post(&provider, &body).await;
        let error = &received.json()["error"];
        assert_eq!((received.status, &error["param"]), (400, &param), "{body}");
    }
    assert_eq!(provider.demo.calls("ok"), 0);
}
