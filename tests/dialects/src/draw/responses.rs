//! Requests as Responses word them.

use serde_json::{Value, json};

use super::history::{Said, Thought, Turn};
use super::parts::{DrawnChoice, DrawnTool};
use super::{Dice, put};

/// A request that OpenAI's schema allows.
pub fn request(dice: &mut Dice<'_>) -> Value {
    let tools = dice.tools();
    let mut body = json!({ "model": "m", "input": input(&tools, dice) });
    put(&mut body, "instructions", dice.maybe(40, Dice::text));
    if !tools.is_empty() {
        body["tools"] = tools.iter().map(write_tool).collect();
    }
    put(&mut body, "tool_choice", dice.choice(&tools).map(write_choice));
    put(&mut body, "parallel_tool_calls", dice.maybe(12, |dice| dice.chance(50)));
    put(&mut body, "text", dice.maybe(30, text));
    put(&mut body, "reasoning", dice.maybe(25, reasoning));
    put(&mut body, "max_output_tokens", dice.maybe(40, Dice::limit));
    put(&mut body, "temperature", dice.maybe(15, Dice::share));
    put(&mut body, "top_p", dice.maybe(8, Dice::share));
    put(&mut body, "top_logprobs", dice.maybe(4, |dice| json!(dice.below(5))));
    let includable = ["reasoning.encrypted_content", "message.output_text.logprobs"];
    put(&mut body, "include", dice.maybe(20, |dice| json!([includable[usize::from(dice.chance(20))]])));
    put(&mut body, "user", dice.maybe(10, |dice| dice.id("user-")));
    put(&mut body, "metadata", dice.maybe(10, |dice| json!({ "job": dice.id("") })));
    put(&mut body, "store", dice.maybe(30, |dice| dice.chance(50)));
    put(&mut body, "truncation", dice.maybe(5, |_| "disabled"));
    put(&mut body, "service_tier", dice.maybe(5, |dice| *dice.pick(&["auto", "default"])));
    put(&mut body, "safety_identifier", dice.maybe(5, |dice| dice.id("s")));
    if dice.chance(50) {
        body["stream"] = json!(true);
        put(&mut body, "stream_options", dice.maybe(10, |_| json!({ "include_obfuscation": false })));
    }
    body
}

fn input(tools: &[DrawnTool], dice: &mut Dice<'_>) -> Value {
    if dice.chance(20) {
        return json!(dice.text());
    }
    let mut items = Vec::new();
    for turn in dice.history(tools) {
        match turn {
            Turn::User(said) => items.push(user(&said, dice)),
            Turn::Assistant(turn) => {
                let id = dice.id("x");
                items.extend(turn.thought.map(|thought| reasoning_item(&thought, &id)));
                items.extend(turn.text.map(|text| said_before(&text, &id, dice)));
                items.extend(turn.calls.iter().map(|call| {
                    let arguments = Value::Object(call.input.clone()).to_string();
                    json!({ "type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments })
                }));
            }
            Turn::Results(results) => {
                for result in results {
                    let output = content(&result.said, dice);
                    items.push(
                        json!({ "type": "function_call_output", "call_id": result.id, "output": output }),
                    );
                }
            }
        }
    }
    json!(items)
}

fn user(said: &[Said], dice: &mut Dice<'_>) -> Value {
    let mut item = json!({ "role": "user", "content": content(said, dice) });
    put(&mut item, "type", dice.maybe(50, |_| "message"));
    item
}

fn content(said: &[Said], dice: &mut Dice<'_>) -> Value {
    if let ([Said::Text { text, .. }], true) = (said, dice.chance(60)) {
        return json!(text);
    }
    let part = |said: &Said| match said {
        Said::Text { text, .. } => json!({ "type": "input_text", "text": text }),
        Said::Image(image) => {
            let url = match image {
                Ok((media_type, base64)) => format!("data:{media_type};base64,{base64}"),
                Err(url) => (*url).to_owned(),
            };
            json!({ "type": "input_image", "image_url": url, "detail": *dice.pick(&["auto", "low", "high"]) })
        }
    };
    said.iter().map(part).collect()
}

/// What the assistant said, short or as a reply carried it.
fn said_before(text: &str, id: &str, dice: &mut Dice<'_>) -> Value {
    match dice.chance(60) {
        true => json!({
            "type": "message", "id": format!("msg_{id}"), "role": "assistant", "status": "completed",
            "content": [{ "type": "output_text", "text": text, "annotations": [] }],
        }),
        false => json!({ "role": "assistant", "content": text }),
    }
}

/// Other vendors' seals look like this to us; our own are tested where a reply is sent back.
fn reasoning_item(thought: &Thought, id: &str) -> Value {
    let (summary, sealed) = match thought {
        Thought::Open(text) => (json!([{ "type": "summary_text", "text": text }]), None),
        Thought::Sealed { text, signature } => {
            (json!([{ "type": "summary_text", "text": text }]), Some(signature))
        }
        Thought::Redacted(data) => (json!([]), Some(data)),
    };
    let mut item = json!({ "type": "reasoning", "id": format!("rs_{id}"), "summary": summary });
    put(&mut item, "encrypted_content", sealed.cloned());
    item
}

fn write_tool(tool: &DrawnTool) -> Value {
    let mut out = json!({ "type": "function", "name": tool.name, "parameters": tool.schema });
    // The schema wants it said, if only as null.
    out["strict"] = json!(tool.strict);
    put(&mut out, "description", tool.description.clone());
    out
}

fn write_choice(choice: DrawnChoice) -> Value {
    match choice {
        DrawnChoice::Auto => json!("auto"),
        DrawnChoice::None => json!("none"),
        DrawnChoice::Required => json!("required"),
        DrawnChoice::Named(name) => json!({ "type": "function", "name": name }),
        DrawnChoice::Allowed(name) => {
            json!({ "type": "allowed_tools", "mode": "auto", "tools": [{ "type": "function", "name": name }] })
        }
    }
}

fn text(dice: &mut Dice<'_>) -> Value {
    let format = match dice.below(4) {
        0 => json!({ "type": "text" }),
        1 => json!({ "type": "json_object" }),
        _ => {
            let mut format = json!({ "type": "json_schema", "name": "forecast", "schema": dice.schema() });
            put(&mut format, "description", dice.maybe(40, Dice::text));
            put(&mut format, "strict", dice.maybe(60, |dice| dice.chance(70)));
            format
        }
    };
    let mut text = json!({ "format": format });
    put(&mut text, "verbosity", dice.maybe(8, |dice| *dice.pick(&["low", "medium", "high"])));
    text
}

fn reasoning(dice: &mut Dice<'_>) -> Value {
    let mut reasoning = json!({});
    let efforts = ["none", "minimal", "low", "medium", "high", "xhigh"];
    put(&mut reasoning, "effort", dice.maybe(80, |dice| *dice.pick(&efforts)));
    put(&mut reasoning, "summary", dice.maybe(50, |dice| *dice.pick(&["auto", "concise", "detailed"])));
    reasoning
}
