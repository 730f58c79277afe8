//! Answers as vendors put them on the wire. Written from the vendors' references and not with the
//! code under test.

mod anthropic;
pub mod bedrock;
mod openai;

use serde_json::Value;
use shared::protocol::outbound::Outbound;

use crate::draw::Dice;
use crate::draw::answer::Script;

/// The bytes of the response's body. `forced`: the text is the arguments of the tool that the model
/// was made to call.
pub fn encode(script: &Script, outbound: Outbound, forced: bool, dice: &mut Dice<'_>) -> Vec<u8> {
    match outbound {
        Outbound::OpenAi(flavour) => openai::encode(script, flavour, dice).into_bytes(),
        Outbound::Anthropic => anthropic::encode(script, forced, dice).into_bytes(),
        Outbound::Bedrock => bedrock::encode(script, forced, dice),
    }
}

/// One server-sent event, under either line end.
fn sse(name: Option<&str>, data: &str, dice: &mut Dice<'_>) -> String {
    let end = if dice.chance(3) { "\r\n" } else { "\n" };
    let name = name.map(|name| format!("event: {name}{end}")).unwrap_or_default();
    format!("{name}data: {data}{end}{end}")
}

fn named(mut data: Value, name: &str, dice: &mut Dice<'_>) -> String {
    data["type"] = name.into();
    sse(Some(name), &data.to_string(), dice)
}
