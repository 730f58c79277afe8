//! Requests as Messages word them.

use serde_json::{Value, json};

use super::history::{AssistantTurn, Said, Thought, ToolResult, Turn};
use super::parts::{DrawnChoice, DrawnTool, cache_mark};
use super::{Dice, put};

/// A request that Anthropic's schema allows.
pub fn request(dice: &mut Dice<'_>) -> Value {
    let tools = dice.tools();
    let turns = dice.history(&tools);
    let messages: Vec<Value> = turns.iter().map(|turn| write_turn(turn, dice)).collect();
    let mut body = json!({ "model": "m", "messages": messages, "max_tokens": dice.limit() });
    put(&mut body, "system", dice.maybe(40, system));
    if !tools.is_empty() {
        body["tools"] = tools.iter().map(|tool| write_tool(tool, dice)).collect();
    }
    let choice = dice.choice(&tools);
    put(&mut body, "tool_choice", choice.map(|choice| write_choice(choice, dice)));
    put(
        &mut body,
        "thinking",
        dice.maybe(20, |dice| {
            dice.pick(&[
                json!({ "type": "adaptive" }),
                json!({ "type": "disabled" }),
                json!({ "type": "enabled", "budget_tokens": 2048 }),
            ])
            .clone()
        }),
    );
    // The budget is part of the limit.
    if body["thinking"]["type"] == "enabled" {
        body["max_tokens"] = json!(4096 + dice.limit());
    }
    put(&mut body, "output_config", dice.maybe(25, output_config));
    put(&mut body, "temperature", dice.maybe(15, Dice::share));
    put(&mut body, "top_p", dice.maybe(8, Dice::share));
    put(&mut body, "top_k", dice.maybe(6, |dice| json!(dice.below(100))));
    put(&mut body, "stop_sequences", dice.maybe(15, Dice::stops));
    put(&mut body, "metadata", dice.maybe(10, |dice| json!({ "user_id": dice.id("user-") })));
    put(&mut body, "service_tier", dice.maybe(5, |dice| *dice.pick(&["auto", "standard_only"])));
    put(&mut body, "stream", dice.maybe(60, |dice| dice.chance(80)));
    body
}

fn system(dice: &mut Dice<'_>) -> Value {
    match dice.chance(50) {
        true => json!([text_block(&dice.text(), false, dice), text_block(&dice.text(), true, dice)]),
        false => json!(dice.text()),
    }
}

fn write_turn(turn: &Turn, dice: &mut Dice<'_>) -> Value {
    match turn {
        Turn::User(said) => json!({ "role": "user", "content": content(said, dice) }),
        Turn::Assistant(turn) => json!({ "role": "assistant", "content": assistant(turn) }),
        Turn::Results(results) => {
            let mut blocks: Vec<Value> = results.iter().map(|result| write_result(result, dice)).collect();
            if dice.chance(20) {
                blocks.push(text_block(&dice.text(), false, dice));
            }
            json!({ "role": "user", "content": blocks })
        }
    }
}

fn content(said: &[Said], dice: &mut Dice<'_>) -> Value {
    if let ([Said::Text { text, cached: false }], true) = (said, dice.chance(60)) {
        return json!(text);
    }
    said.iter().map(|said| block(said, dice)).collect()
}

fn block(said: &Said, dice: &mut Dice<'_>) -> Value {
    match said {
        Said::Text { text, cached } => text_block(text, *cached, dice),
        Said::Image(Ok((media_type, data))) => {
            json!({ "type": "image", "source": { "type": "base64", "media_type": media_type, "data": data } })
        }
        Said::Image(Err(url)) => json!({ "type": "image", "source": { "type": "url", "url": url } }),
    }
}

fn text_block(text: &str, cached: bool, dice: &mut Dice<'_>) -> Value {
    let mut block = json!({ "type": "text", "text": text });
    put(&mut block, "cache_control", cached.then(|| cache_mark(dice)));
    block
}

fn assistant(turn: &AssistantTurn) -> Vec<Value> {
    let thought = turn.thought.iter().filter_map(|thought| match thought {
        Thought::Sealed { text, signature } => {
            Some(json!({ "type": "thinking", "thinking": text, "signature": signature }))
        }
        Thought::Redacted(data) => Some(json!({ "type": "redacted_thinking", "data": data })),
        // The dialect has none without a seal.
        Thought::Open(_) => None,
    });
    let text = turn.text.iter().map(|text| json!({ "type": "text", "text": text }));
    let calls = turn
        .calls
        .iter()
        .map(|call| json!({ "type": "tool_use", "id": call.id, "name": call.name, "input": call.input }));
    thought.chain(text).chain(calls).collect()
}

fn write_result(result: &ToolResult, dice: &mut Dice<'_>) -> Value {
    let mut block = json!({ "type": "tool_result", "tool_use_id": result.id });
    if !dice.chance(8) {
        block["content"] = content(&result.said, dice);
    }
    if result.failed {
        block["is_error"] = json!(true);
    }
    put(&mut block, "cache_control", dice.maybe(4, cache_mark));
    block
}

fn write_tool(tool: &DrawnTool, dice: &mut Dice<'_>) -> Value {
    let mut out = json!({ "name": tool.name, "input_schema": tool.schema });
    put(&mut out, "type", dice.maybe(30, |_| "custom"));
    put(&mut out, "description", tool.description.clone());
    put(&mut out, "strict", tool.strict);
    put(&mut out, "cache_control", tool.cached.then(|| cache_mark(dice)));
    out
}

fn write_choice(choice: DrawnChoice, dice: &mut Dice<'_>) -> Value {
    let mut out = match choice {
        DrawnChoice::None => return json!({ "type": "none" }),
        DrawnChoice::Auto => json!({ "type": "auto" }),
        DrawnChoice::Required => json!({ "type": "any" }),
        DrawnChoice::Named(name) | DrawnChoice::Allowed(name) => json!({ "type": "tool", "name": name }),
    };
    put(&mut out, "disable_parallel_tool_use", dice.maybe(20, |dice| dice.chance(50)));
    out
}

fn output_config(dice: &mut Dice<'_>) -> Value {
    let mut config = json!({});
    put(&mut config, "effort", dice.maybe(50, |dice| *dice.pick(&["low", "medium", "high"])));
    let format = |dice: &mut Dice<'_>| json!({ "type": "json_schema", "schema": dice.schema() });
    put(&mut config, "format", dice.maybe(60, format));
    config
}
