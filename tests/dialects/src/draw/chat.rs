//! Requests as chat completions word them.

use serde_json::{Value, json};

use super::history::{AssistantTurn, Call, Said, Thought, Turn};
use super::parts::{DrawnChoice, DrawnTool, cache_mark};
use super::{Dice, put};

/// A request that OpenAI's schema allows, apart from the extensions that other gateways know too:
/// cache points and the reasoning of earlier turns.
pub fn request(dice: &mut Dice<'_>) -> Value {
    let tools = dice.tools();
    let mut messages: Vec<Value> = Vec::new();
    messages.extend(dice.maybe(40, instructions));
    for turn in dice.history(&tools) {
        write_turn(&turn, dice, &mut messages);
    }
    let mut body = json!({ "model": "m", "messages": messages });
    if !tools.is_empty() {
        body["tools"] = tools.iter().map(|tool| write_tool(tool, dice)).collect();
    }
    put(&mut body, "tool_choice", dice.choice(&tools).map(write_choice));
    if !tools.is_empty() {
        put(&mut body, "parallel_tool_calls", dice.maybe(12, |dice| dice.chance(50)));
    }
    put(&mut body, "response_format", dice.maybe(25, format));
    let limit = *dice.pick(&["max_tokens", "max_completion_tokens"]);
    put(&mut body, limit, dice.maybe(40, Dice::limit));
    sampling(dice, &mut body);
    labels(dice, &mut body);
    if dice.chance(50) {
        body["stream"] = json!(true);
        put(&mut body, "stream_options", dice.maybe(60, |dice| json!({ "include_usage": dice.chance(80) })));
    }
    body
}

fn sampling(dice: &mut Dice<'_>, body: &mut Value) {
    put(body, "temperature", dice.maybe(15, Dice::share));
    put(body, "top_p", dice.maybe(8, Dice::share));
    put(body, "presence_penalty", dice.maybe(4, |dice| json!(dice.pick(&[0.0, -0.5, 2.0]))));
    put(body, "frequency_penalty", dice.maybe(4, |dice| json!(dice.pick(&[0.0, 0.5]))));
    put(body, "seed", dice.maybe(4, |dice| json!(dice.below(1000))));
    put(body, "n", dice.maybe(6, |dice| json!(1 + dice.below(3))));
    let stops = dice.maybe(12, Dice::stops);
    put(body, "stop", stops.map(|stops| if stops.len() == 1 { json!(stops[0]) } else { json!(stops) }));
    let efforts = ["none", "minimal", "low", "medium", "high", "xhigh"];
    put(body, "reasoning_effort", dice.maybe(20, |dice| json!(dice.pick(&efforts))));
    if dice.chance(6) {
        body["logprobs"] = json!(true);
        put(body, "top_logprobs", dice.maybe(50, |dice| json!(dice.below(5))));
    }
}

fn labels(dice: &mut Dice<'_>, body: &mut Value) {
    put(body, "user", dice.maybe(10, |dice| dice.id("user-")));
    put(body, "metadata", dice.maybe(5, |dice| json!({ "job": dice.id("") })));
    put(body, "store", dice.maybe(5, |dice| dice.chance(50)));
    put(body, "safety_identifier", dice.maybe(5, |dice| dice.id("s")));
    put(body, "prompt_cache_key", dice.maybe(5, |dice| dice.id("k")));
    put(body, "verbosity", dice.maybe(3, |dice| json!(dice.pick(&["low", "medium", "high"]))));
}

fn instructions(dice: &mut Dice<'_>) -> Value {
    let role = *dice.pick(&["system", "developer"]);
    let content = match dice.chance(30) {
        true => {
            let cached = dice.chance(40);
            json!([text_part(&dice.text(), cached, dice)])
        }
        false => json!(dice.text()),
    };
    let mut message = json!({ "role": role, "content": content });
    put(&mut message, "name", dice.maybe(3, |_| "guide"));
    message
}

fn write_turn(turn: &Turn, dice: &mut Dice<'_>, messages: &mut Vec<Value>) {
    match turn {
        Turn::User(said) => {
            let mut message = json!({ "role": "user", "content": content(said, dice) });
            put(&mut message, "name", dice.maybe(2, |_| "ada"));
            messages.push(message);
        }
        Turn::Assistant(turn) => messages.push(assistant(turn)),
        Turn::Results(results) => {
            for result in results {
                // The dialect has no images in them.
                let said: Vec<Said> =
                    result.said.iter().filter(|said| matches!(said, Said::Text { .. })).cloned().collect();
                let content = content(&said, dice);
                messages.push(json!({ "role": "tool", "tool_call_id": result.id, "content": content }));
            }
        }
    }
}

fn content(said: &[Said], dice: &mut Dice<'_>) -> Value {
    if let ([Said::Text { text, cached: false }], false) = (said, dice.chance(20)) {
        return json!(text);
    }
    let part = |said: &Said| match said {
        Said::Text { text, cached } => text_part(text, *cached, dice),
        Said::Image(image) => {
            let url = match image {
                Ok((media_type, base64)) => format!("data:{media_type};base64,{base64}"),
                Err(url) => (*url).to_owned(),
            };
            let mut image = json!({ "url": url });
            put(&mut image, "detail", dice.maybe(30, |dice| *dice.pick(&["auto", "low", "high"])));
            json!({ "type": "image_url", "image_url": image })
        }
    };
    said.iter().map(part).collect()
}

fn text_part(text: &str, cached: bool, dice: &mut Dice<'_>) -> Value {
    let mut part = json!({ "type": "text", "text": text });
    put(&mut part, "cache_control", cached.then(|| cache_mark(dice)));
    part
}

fn assistant(turn: &AssistantTurn) -> Value {
    let mut message = json!({ "role": "assistant", "content": turn.text });
    if !turn.calls.is_empty() {
        message["tool_calls"] = turn.calls.iter().map(call).collect();
    }
    match &turn.thought {
        None => {}
        Some(Thought::Open(text)) => message["reasoning_content"] = json!(text),
        Some(Thought::Sealed { text, signature }) => {
            message["thinking_blocks"] =
                json!([{ "type": "thinking", "thinking": text, "signature": signature }]);
        }
        Some(Thought::Redacted(data)) => {
            message["thinking_blocks"] = json!([{ "type": "redacted_thinking", "data": data }]);
        }
    }
    message
}

fn call(call: &Call) -> Value {
    let arguments = Value::Object(call.input.clone()).to_string();
    json!({ "id": call.id, "type": "function", "function": { "name": call.name, "arguments": arguments } })
}

fn write_tool(tool: &DrawnTool, dice: &mut Dice<'_>) -> Value {
    let mut function = json!({ "name": tool.name, "parameters": tool.schema });
    put(&mut function, "description", tool.description.clone());
    put(&mut function, "strict", tool.strict);
    let mut out = json!({ "type": "function", "function": function });
    put(&mut out, "cache_control", tool.cached.then(|| cache_mark(dice)));
    out
}

fn write_choice(choice: DrawnChoice) -> Value {
    let function = |name: &str| json!({ "type": "function", "function": { "name": name } });
    match choice {
        DrawnChoice::Auto => json!("auto"),
        DrawnChoice::None => json!("none"),
        DrawnChoice::Required => json!("required"),
        DrawnChoice::Named(name) => function(name),
        DrawnChoice::Allowed(name) => {
            json!({ "type": "allowed_tools", "allowed_tools": { "mode": "auto", "tools": [function(name)] } })
        }
    }
}

fn format(dice: &mut Dice<'_>) -> Value {
    match dice.below(4) {
        0 => json!({ "type": "text" }),
        1 => json!({ "type": "json_object" }),
        _ => {
            let mut schema = json!({ "name": "forecast", "schema": dice.schema() });
            put(&mut schema, "description", dice.maybe(40, Dice::text));
            put(&mut schema, "strict", dice.maybe(60, |dice| dice.chance(70)));
            json!({ "type": "json_schema", "json_schema": schema })
        }
    }
}
