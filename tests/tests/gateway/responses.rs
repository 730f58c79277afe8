//! The Responses dialect over the whole gateway.

use serde_json::{Value, json};
use tests::{Reply, TestApp, User};

const RESPONSES: &str = "/v1/responses";

async fn gateway(budget: &str) -> (TestApp, User) {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "budgetUsd": budget })).await;
    (gateway, user)
}

fn asks(model: &str, stream: bool) -> Value {
    json!({ "model": model, "input": "Which of the rivers runs through Ghent?", "stream": stream, "max_output_tokens": 200 })
}

fn events(reply: &Reply) -> Vec<Value> {
    reply.events().iter().map(|event| serde_json::from_str(event).expect("JSON")).collect()
}

/// The response without what differs from one request to the next.
fn told(response: &Value) -> Value {
    let text = |item: &Value| item["content"][0]["text"].clone();
    let items: Vec<Value> = response["output"].as_array().expect("items").iter().map(text).collect();
    json!([response["status"], response["model"], response["usage"], response["store"], items])
}

#[tokio::test]
async fn an_answer_is_the_same_whole_and_streamed() {
    let (gateway, user) = gateway("1").await;
    let whole = gateway.post(RESPONSES, &user, &asks("demo/ok", false)).await;
    assert_eq!(whole.status, 200, "{}", whole.text());
    let streamed = gateway.post(RESPONSES, &user, &asks("demo/ok", true)).await;
    assert_eq!(streamed.header("content-type"), "text/event-stream");
    let events = events(&streamed);
    let last = events.last().expect("events");
    assert_eq!(
        (&events[0]["type"], &last["type"]),
        (&json!("response.created"), &json!("response.completed"))
    );
    assert_eq!(told(&last["response"]), told(&whole.json()));
    assert!(whole.json()["usage"]["output_tokens"].as_u64().is_some_and(|tokens| tokens > 0));
    gateway.settled().await;
}

#[tokio::test]
async fn a_call_and_its_result_go_round() {
    let (gateway, user) = gateway("1").await;
    let tools = json!([{ "type": "function", "name": "get_weather", "parameters": { "type": "object" } }]);
    let mut body = asks("demo/tool", false);
    body["tools"] = tools;
    let called = gateway.post(RESPONSES, &user, &body).await.json();
    let call = called["output"].as_array().expect("items").last().expect("a call").clone();
    assert_eq!((&call["type"], &call["status"]), (&json!("function_call"), &json!("completed")));
    let output = json!({ "type": "function_call_output", "call_id": call["call_id"], "output": "sunny" });
    body["input"] = json!([{ "role": "user", "content": "How is the weather?" }, call, output]);
    let answered = gateway.post(RESPONSES, &user, &body).await;
    assert_eq!(answered.status, 200, "{}", answered.text());
    assert_eq!(answered.json()["status"], "completed");
    gateway.settled().await;
}

#[tokio::test]
async fn items_may_be_referred_to_by_their_caller_and_by_nobody_else() {
    let (gateway, user) = gateway("1").await;
    let neighbour = gateway.user(json!({ "budgetUsd": "1" })).await;
    for (stream, store, status) in
        [(false, json!(null), 200), (true, json!(true), 200), (false, json!(false), 400)]
    {
        let mut body = asks("demo/tool", stream);
        body["tools"] =
            json!([{ "type": "function", "name": "get_weather", "parameters": { "type": "object" } }]);
        body["store"] = store.clone();
        let reply = gateway.post(RESPONSES, &user, &body).await;
        let called =
            if stream { events(&reply).last().expect("events")["response"].clone() } else { reply.json() };
        let call = called["output"].as_array().expect("items").last().expect("a call").clone();
        let output = json!({ "type": "function_call_output", "call_id": call["call_id"], "output": "sunny" });
        let reference = json!({ "type": "item_reference", "id": call["id"] });
        body["input"] = json!([{ "role": "user", "content": "How is the weather?" }, reference, output]);
        body["stream"] = json!(false);
        let answered = gateway.post(RESPONSES, &user, &body).await;
        assert_eq!(answered.status, status, "store {store}: {}", answered.text());
        assert_eq!(gateway.post(RESPONSES, &neighbour, &body).await.status, 400, "another key's item");
    }
    gateway.settled().await;
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_in_a_failure() {
    let (gateway, user) = gateway("1").await;
    let events = events(&gateway.post(RESPONSES, &user, &asks("demo/cut-3", true)).await);
    let kinds: Vec<&str> = events.iter().rev().take(2).filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(kinds, ["response.failed", "error"]);
    let completed = events.iter().any(|event| event["type"] == "response.completed");
    assert!(!completed, "{events:?}");
    gateway.settled().await;
}

#[tokio::test]
async fn refusals_name_the_field_or_the_budget() {
    let (gateway, user) = gateway("0.000000001").await;
    let used_up = gateway.post(RESPONSES, &user, &asks("demo/ok", true)).await;
    assert_eq!((used_up.status, &used_up.json()["error"]["code"]), (402, &json!("quota_exceeded")));
    let mut body = asks("demo/ok", false);
    body["input"] = json!([{ "type": "item_reference", "id": "msg_1" }]);
    let bad = gateway.post(RESPONSES, &user, &body).await;
    assert_eq!((bad.status, &bad.json()["error"]["param"]), (400, &json!("input[0].id")));
    assert!(gateway.demo().bill().is_empty(), "the provider was called");
    gateway.settled().await;
}
