use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::demo::{Charge, Demo, serve};

use super::{End, Provider, client, request, streamed};

#[tokio::test]
async fn calls_and_the_bill_can_be_read() {
    let provider = Provider::start().await;
    provider.ask(&request("demo/tokens-3")).await;
    provider.ask(&streamed("tokens-3")).await;
    provider.ask(&request("500")).await;
    assert_eq!(provider.get("/calls").await, json!({ "tokens-3": 2, "500": 1 }));
    let charge = json!({ "prompt_tokens": 8, "completion_tokens": 6 });
    assert_eq!(provider.get("/bill").await, json!({ "tokens-3": charge }));
    let charge = Charge { prompt_tokens: 8, completion_tokens: 6 };
    assert_eq!(provider.demo.charged("demo/tokens-3"), charge);
}

#[tokio::test]
async fn a_behaviour_replaces_what_a_name_does() {
    let provider = Provider::start().await;
    assert_eq!(provider.ask(&request("primary")).await.status, 404);

    let put = provider.send("PUT", "/behaviours/primary", "503").await;
    assert_eq!((put.status, put.end), (204, End::Complete));
    assert_eq!(provider.ask(&request("demo/primary")).await.status, 503);

    provider.demo.set_behaviour("demo/primary", "tokens-2").unwrap();
    let answer = provider.ask(&request("primary")).await.json();
    assert_eq!(answer["model"], "demo/primary");
    assert_eq!(answer["usage"]["completion_tokens"], 2);
    assert_eq!(provider.demo.calls("primary"), 3);
}

#[tokio::test]
async fn a_behaviour_that_is_no_script_is_refused() {
    let provider = Provider::start().await;
    let put = provider.send("PUT", "/behaviours/demo/primary", "ok+jump").await;
    assert_eq!(put.status, 400);
    assert_eq!(put.json()["error"]["message"], "unknown step `jump`");
    assert!(provider.demo.set_behaviour("primary", "").is_err());
    assert_eq!(provider.send("PUT", "/behaviours/", "ok").await.status, 400);
    assert_eq!(provider.send("PUT", "/behaviours/a%2Bb", "ok").await.status, 400);
}

#[tokio::test]
async fn models_are_listed_and_other_urls_are_not_found() {
    let provider = Provider::start().await;
    provider.demo.set_behaviour("primary", "ok").unwrap();
    let list = provider.get("/v1/models").await;
    let data = list["data"].as_array().unwrap();
    assert_eq!(list["object"], "list");
    for id in ["demo/ok", "demo/primary", "demo/tool"] {
        assert!(data.iter().any(|model| model["id"] == id && model["owned_by"] == "demo"));
    }
    let received = provider.send("GET", "/v1/chat/completions", "").await;
    assert_eq!(received.status, 404);
    assert_eq!(received.json()["error"]["code"], "unknown_url");
}

#[tokio::test]
async fn every_listed_model_is_a_script() {
    let provider = Provider::start().await;
    let list = provider.get("/v1/models").await;
    for model in list["data"].as_array().unwrap() {
        let id = model["id"].as_str().unwrap();
        assert!(provider.demo.set_behaviour("probe", &id["demo/".len()..]).is_ok(), "{id}");
    }
}

#[tokio::test]
async fn shutdown_drops_what_still_hangs() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async { stopped.await.unwrap() };
    let server = tokio::spawn(serve(listener, Demo::new(), shutdown));
    let body = request("hang").to_string();
    let hanging = client::open(address, "POST", "/v1/chat/completions", &body).await;
    tokio::time::sleep(super::millis(50)).await;
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    assert_ne!(client::read_to_end(hanging).await.end, End::Silent);
}
