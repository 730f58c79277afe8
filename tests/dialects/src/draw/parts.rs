//! What requests of every dialect are made of.

use serde_json::{Value, json};

use super::Dice;

/// Names of the tools that a request may offer.
const TOOLS: &[&str] = &["get_weather", "search-docs", "f"];
const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A tool, before a dialect gives it its shape.
#[derive(Clone, Debug)]
pub struct DrawnTool {
    pub name: &'static str,
    pub description: Option<String>,
    pub schema: Value,
    pub strict: Option<bool>,
    pub cached: bool,
}

/// How the tools may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawnChoice {
    Auto,
    None,
    Required,
    Named(&'static str),
    Allowed(&'static str),
}

impl Dice<'_> {
    /// From no tools to all of them.
    pub fn tools(&mut self) -> Vec<DrawnTool> {
        if !self.chance(55) {
            return Vec::new();
        }
        let count = 1 + self.below(TOOLS.len());
        let make = |name: &&'static str| DrawnTool {
            name,
            description: self.maybe(60, Dice::text),
            schema: self.schema(),
            strict: self.maybe(15, |dice| dice.chance(50)),
            cached: self.chance(8),
        };
        TOOLS[..count].iter().map(make).collect()
    }

    pub fn choice(&mut self, tools: &[DrawnTool]) -> Option<DrawnChoice> {
        if tools.is_empty() || !self.chance(35) {
            return None;
        }
        let name = self.pick(tools).name;
        let choices = [
            DrawnChoice::Auto,
            DrawnChoice::None,
            DrawnChoice::Required,
            DrawnChoice::Named(name),
            DrawnChoice::Allowed(name),
        ];
        Some(*self.pick(&choices))
    }

    /// An image as media type and base64, or as a URL.
    pub fn image(&mut self) -> Result<(&'static str, &'static str), &'static str> {
        match self.chance(15) {
            true => Err("https://example.com/cat.png"),
            false => Ok((*self.pick(&["image/png", "image/webp", "image/gif", "image/jpeg"]), PIXEL)),
        }
    }

    /// The same as one URL.
    pub fn image_url(&mut self) -> String {
        match self.image() {
            Ok((media_type, base64)) => format!("data:{media_type};base64,{base64}"),
            Err(url) => url.to_owned(),
        }
    }

    /// A number that both families take as a temperature or a share, as they are written.
    pub fn share(&mut self) -> Value {
        self.pick(&[json!(1), json!(0.2), json!(1.0), json!(0.95), json!(0)]).clone()
    }

    pub fn stops(&mut self) -> Vec<String> {
        self.several(1, 3, |dice| (*dice.pick(&["END", "\n\n", "Höchst"])).to_owned())
    }

    /// An output limit in tokens.
    pub fn limit(&mut self) -> u64 {
        *self.pick(&[1, 100, 4096, 20_000])
    }
}

/// Anthropic's mark of a cache point.
pub fn cache_mark(dice: &mut Dice<'_>) -> Value {
    dice.pick(&[json!({ "type": "ephemeral" }), json!({ "type": "ephemeral", "ttl": "1h" })]).clone()
}
