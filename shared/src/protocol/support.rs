//! The one table of what becomes of each parameter at each kind of provider. Nothing is dropped
//! silently: a parameter is translated, or it has no effect on the answer there, or the request is
//! refused: with 400 at the model the caller asked for, by skipping it at a fallback.

mod rows;

pub use rows::{PARAMETERS, Parameter};

use super::canonical::{ChatRequest, Family};
use super::outbound::Outbound;

/// What becomes of one parameter at one kind of provider.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// Sent, in the provider's own words.
    Translate,
    /// Left out, since it changes nothing about the answer there; the text says why.
    NoEffect(&'static str),
    /// Refused; the text says why.
    Refuse(&'static str),
    /// Translated unless the function, given the request and the model's name, objects. The text
    /// says when it does.
    Unless(&'static str, fn(&ChatRequest, &str) -> bool),
}

/// A parameter that a target cannot honour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    pub param: String,
    pub why: &'static str,
}

/// Whether `model` behind `outbound` can honour all of `request`.
///
/// # Errors
/// [`Unsupported`], naming the first parameter that it cannot.
pub fn check(request: &ChatRequest, outbound: Outbound, model: &str) -> Result<(), Unsupported> {
    for parameter in PARAMETERS.iter().filter(|parameter| parameter.is_given(request)) {
        let refusal = match parameter.fate(outbound) {
            Fate::Translate | Fate::NoEffect(_) => None,
            Fate::Refuse(why) => Some(why),
            Fate::Unless(why, objects) => objects(request, model).then_some(why),
        };
        if let Some(why) = refusal {
            return Err(Unsupported { param: parameter.name.to_owned(), why });
        }
    }
    let family = match outbound {
        Outbound::OpenAi(_) => Family::OpenAi,
        Outbound::Anthropic => Family::Anthropic,
        Outbound::Bedrock => return no_unlisted(request),
    };
    if request.family == family { Ok(()) } else { no_unlisted(request) }
}

fn no_unlisted(request: &ChatRequest) -> Result<(), Unsupported> {
    match request.unlisted.keys().next() {
        None => Ok(()),
        Some(name) => Err(Unsupported {
            param: name.clone(),
            why: "it is not a known field, and the model's provider speaks another dialect",
        }),
    }
}

/// The table in Markdown, one row a parameter.
pub fn markdown() -> String {
    let cell = |fate: Fate| match fate {
        Fate::Translate => "translated".to_owned(),
        Fate::NoEffect(why) => format!("no effect: {why}"),
        Fate::Refuse(why) => format!("**refused**: {why}"),
        Fate::Unless(why, _) => format!("translated; **refused** when {why}"),
    };
    let row = |parameter: &Parameter| {
        let [openai, anthropic, bedrock] = parameter.fates.map(cell);
        format!("| `{}` | {openai} | {anthropic} | {bedrock} |\n", parameter.name)
    };
    let head = "| parameter | openai | anthropic | bedrock |\n| --- | --- | --- | --- |\n".to_owned();
    head + &PARAMETERS.iter().map(row).collect::<String>()
}

#[cfg(test)]
mod tests;
