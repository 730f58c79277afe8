use serde_json::{Value, json};

use crate::demo::schema::example;

use super::{Provider, request, streamed, with};

fn weather_tool() -> Value {
    json!([{ "type": "function", "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {
                "city": { "type": "string" },
                "days": { "type": "integer" },
                "unit": { "type": "string", "enum": ["celsius", "fahrenheit"] },
                "note": { "type": "string" },
            },
            "required": ["city", "days", "unit"],
        },
    }}])
}

fn weather_arguments() -> Value {
    json!({ "city": "demo", "days": 1, "unit": "celsius" })
}

#[tokio::test]
async fn a_plain_tool_call_has_arguments_that_fit_its_schema() {
    let provider = Provider::start().await;
    let answer = provider.ask(&with(request("tool"), "tools", weather_tool())).await.json();
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(choice["message"]["content"], Value::Null);
    let call = &choice["message"]["tool_calls"][0];
    assert_eq!((&call["id"], &call["type"]), (&json!("call_demo_1_0"), &json!("function")));
    assert_eq!(call["function"]["name"], "get_weather");
    let arguments = call["function"]["arguments"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(arguments).unwrap(), weather_arguments());
}

#[tokio::test]
async fn a_streamed_tool_call_begins_with_its_id_and_name() {
    let provider = Provider::start().await;
    let received = provider.ask(&with(streamed("tool"), "tools", weather_tool())).await;
    let chunks = received.chunks();
    let role = json!({ "role": "assistant", "content": null, "refusal": null });
    assert_eq!(chunks[0]["choices"][0]["delta"], role);
    let head = json!({ "tool_calls": [{
        "index": 0,
        "id": "call_demo_1_0",
        "type": "function",
        "function": { "name": "get_weather", "arguments": "" },
    }]});
    assert_eq!(chunks[1]["choices"][0]["delta"], head);
}

#[tokio::test]
async fn the_pieces_of_a_streamed_tool_call_make_its_arguments() {
    let provider = Provider::start().await;
    let received = provider.ask(&with(streamed("tool"), "tools", weather_tool())).await;
    let chunks = received.chunks();
    let pieces = &chunks[2..chunks.len() - 2];
    assert!(pieces.len() > 3);
    let call = |chunk: &Value| chunk["choices"][0]["delta"]["tool_calls"][0].clone();
    assert!(pieces.iter().all(|chunk| call(chunk).get("id").is_none()));
    let argument = |chunk: &Value| call(chunk)["function"]["arguments"].as_str().unwrap().to_owned();
    let arguments: String = pieces.iter().map(argument).collect();
    assert_eq!(serde_json::from_str::<Value>(&arguments).unwrap(), weather_arguments());

    let [finish, usage] = &chunks[chunks.len() - 2..] else { panic!("two chunks end a stream") };
    assert_eq!(finish["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(usage["usage"]["completion_tokens"], pieces.len());
    assert!(received.done());
}

#[tokio::test]
async fn a_tool_result_is_answered_with_text() {
    let provider = Provider::start().await;
    let messages = json!([
        { "role": "user", "content": "weather?" },
        { "role": "assistant", "content": null, "tool_calls": [] },
        { "role": "tool", "tool_call_id": "call_demo_1_0", "content": "sunny all day" },
    ]);
    let body = with(with(request("tool"), "tools", weather_tool()), "messages", messages);
    let choice = provider.ask(&body).await.json()["choices"][0].take();
    let text = "This is a scripted answer from the demo provider. The tool said: sunny all day";
    assert_eq!((&choice["message"]["content"], &choice["finish_reason"]), (&json!(text), &json!("stop")));
}

#[tokio::test]
async fn the_callers_choice_of_tool_is_heeded() {
    let provider = Provider::start().await;
    let mut tools = weather_tool();
    let second = json!({ "type": "function", "function": { "name": "second" } });
    tools.as_array_mut().unwrap().push(second);
    let body = with(request("tool"), "tools", tools);

    let named = json!({ "type": "function", "function": { "name": "second" } });
    let answer = provider.ask(&with(body.clone(), "tool_choice", named)).await.json();
    let function = json!({ "name": "second", "arguments": "{}" });
    assert_eq!(answer["choices"][0]["message"]["tool_calls"][0]["function"], function);

    let answer = provider.ask(&with(body, "tool_choice", json!("none"))).await.json();
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn structured_answers_are_documents_that_fit() {
    let provider = Provider::start().await;
    let schema = weather_tool()[0]["function"]["parameters"].clone();
    let named = json!({ "name": "weather", "strict": true, "schema": schema });
    let format = json!({ "type": "json_schema", "json_schema": named });
    let answer = provider.ask(&with(request("ok"), "response_format", format.clone())).await.json();
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), weather_arguments());
    let received = provider.ask(&with(streamed("ok"), "response_format", format)).await;
    assert_eq!(received.text(), text);

    let format = json!({ "type": "json_object" });
    let answer = provider.ask(&with(request("ok"), "response_format", format)).await.json();
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(serde_json::from_str::<Value>(text).unwrap()["answer"].is_string());
}

#[test]
fn examples_fit_nested_schemas() {
    let cases = [
        (json!({ "type": "number", "minimum": 2.5 }), json!(2.5)),
        (json!({ "type": "integer", "maximum": -3 }), json!(-3)),
        (json!({ "type": ["string", "null"], "minLength": 6 }), json!("demode")),
        (json!({ "type": "string", "format": "date" }), json!("2026-01-01")),
        (json!({ "const": { "a": 1 } }), json!({ "a": 1 })),
        (json!({ "type": "array", "items": { "type": "boolean" }, "minItems": 2 }), json!([true, true])),
        (json!({ "anyOf": [{ "type": "null" }, { "type": "string" }] }), json!(null)),
        (json!({ "$ref": "#/$defs/x", "$defs": { "x": { "type": "integer" } } }), json!(1)),
    ];
    for (schema, expected) in cases {
        assert_eq!(example(&schema), expected, "{schema}");
    }
}

#[test]
fn schemas_that_refer_to_themselves_end() {
    let node = json!({ "anyOf": [{ "$ref": "#/$defs/node" }, { "type": "null" }] });
    let properties = json!({ "left": node, "right": node });
    let node = json!({ "type": "object", "properties": properties, "required": ["left", "right"] });
    let tree = json!({ "$ref": "#/$defs/node", "$defs": { "node": node } });
    assert!(example(&tree).is_object());

    let endless = json!({ "$ref": "#" });
    assert_eq!(example(&endless), Value::Null);
}
