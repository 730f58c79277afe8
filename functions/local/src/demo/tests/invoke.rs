use serde_json::{Value, json};

use super::dialect::Dialect;
use super::embeddings::{floats, length};
use super::{Provider, Received};

const TITAN: &str = "amazon.titan-embed-text-v2:0";
const COHERE: &str = "cohere.embed-english-v3";
const TOKENS: &str = "x-amzn-bedrock-input-token-count";

async fn invoke(provider: &Provider, model: &str, body: &Value) -> Received {
    let path = format!("/model/{}/invoke", model.replace(':', "%3A"));
    provider.send_with("POST", &path, Dialect::Converse.headers(), &body.to_string()).await
}

fn cohere(texts: Value) -> Value {
    json!({ "texts": texts, "input_type": "search_document" })
}

#[tokio::test]
async fn titan_embeds_one_text() {
    let provider = Provider::start().await;
    let body = json!({ "inputText": "one two three", "dimensions": 16, "normalize": true });
    let received = invoke(&provider, TITAN, &body).await;
    assert_eq!((received.status, received.header(TOKENS)), (200, Some("3")));
    let mut document = received.json();
    let vector = floats(&document["embedding"].take());
    assert_eq!(vector.len(), 16);
    assert!((length(&vector) - 1.0).abs() < 1e-5);
    assert_eq!(document, json!({ "embedding": null, "inputTextTokenCount": 3 }));
    assert_eq!(provider.demo.charged(TITAN).prompt_tokens, 3);
    assert_eq!(provider.demo.calls(TITAN), 1);
}

#[tokio::test]
async fn a_vector_that_is_not_normalised_has_the_same_direction() {
    let provider = Provider::start().await;
    let mut vectors = Vec::new();
    for normalize in [true, false] {
        let body = json!({ "inputText": "one two three", "normalize": normalize });
        vectors.push(floats(&invoke(&provider, TITAN, &body).await.json()["embedding"]));
    }
    let scale = length(&vectors[1]);
    assert!((scale - 1.0).abs() > 1e-3);
    assert!(vectors[0].iter().zip(&vectors[1]).all(|(unit, raw)| (unit * scale - raw).abs() < 1e-5));
}

#[tokio::test]
async fn cohere_embeds_a_list() {
    let provider = Provider::start().await;
    let received = invoke(&provider, COHERE, &cohere(json!(["one two", "three"]))).await;
    assert_eq!((received.status, received.header(TOKENS)), (200, Some("3")));
    let mut document = received.json();
    let vectors = document["embeddings"].take();
    assert!(vectors.as_array().unwrap().iter().all(|vector| floats(vector).len() == 8));
    let expected = json!({
        "id": "embed_demo_1",
        "response_type": "embeddings_floats",
        "embeddings": null,
        "texts": ["one two", "three"],
    });
    assert_eq!(document, expected);
}

#[tokio::test]
async fn a_script_is_invoked_for_either_family() {
    let provider = Provider::start().await;
    assert!(invoke(&provider, "ok", &json!({ "inputText": "text" })).await.json()["embedding"].is_array());
    assert!(invoke(&provider, "ok", &cohere(json!(["text"]))).await.json()["embeddings"].is_array());
    let uncounted = invoke(&provider, "nousage", &cohere(json!(["text"]))).await;
    assert_eq!((uncounted.status, uncounted.header(TOKENS)), (200, None));
    let limited = invoke(&provider, "429-retry-2", &cohere(json!(["text"]))).await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("2")));
    assert_eq!(limited.header("x-amzn-errortype"), Some("ThrottlingException"));
    let unknown = invoke(&provider, "amazon.nova", &json!({ "inputText": "text" })).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.header("x-amzn-errortype"), Some("ResourceNotFoundException"));
}

#[tokio::test]
async fn a_behaviour_replaces_what_a_known_model_does() {
    let provider = Provider::start().await;
    provider.demo.set_behaviour(TITAN, "503").unwrap();
    let received = invoke(&provider, TITAN, &json!({ "inputText": "text" })).await;
    assert_eq!(received.status, 503);
    assert_eq!(received.header("x-amzn-errortype"), Some("ServiceUnavailableException"));
}

#[tokio::test]
async fn malformed_invocations_get_a_validation_exception() {
    let provider = Provider::start().await;
    for (model, body, said) in [
        (TITAN, json!({ "texts": ["text"] }), "inputText"),
        (TITAN, json!({ "inputText": "" }), "inputText"),
        (TITAN, json!({ "inputText": "text", "dimensions": 9000 }), "dimensions"),
        (COHERE, json!({ "texts": ["text"] }), "input_type"),
        (COHERE, cohere(json!([])), "texts"),
        (
            COHERE,
            json!({ "texts": ["a"], "input_type": "x", "embedding_types": ["int8"] }),
            "embedding_types",
        ),
        ("ok", json!({ "prompt": "text" }), "inputText"),
    ] {
        let received = invoke(&provider, model, &body).await;
        assert_eq!(received.status, 400, "{body}");
        assert_eq!(received.header("x-amzn-errortype"), Some("ValidationException"));
        assert!(received.json()["message"].as_str().unwrap().contains(said), "{body}");
    }
    assert!(provider.demo.bill().is_empty());
}
