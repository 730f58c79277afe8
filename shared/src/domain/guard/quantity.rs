//! Numbers, in figures and in words, and what they count.

mod numerals;
mod units;

use super::Veto;
use super::reading::Reading;
use super::tokens::{Token, tokens};
use numerals::{Figure, figure, small};
use units::{Unit, unit};

/// A number and its unit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quantity {
    value: Value,
    unit: Option<Unit>,
    /// `a week`, `one of these`: it may be left out.
    weak: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Known(f64),
    /// Figures that are no number: an article, a version, an account.
    Code(String),
}

/// The quantities of a text, and which of its tokens they are made of.
pub(super) fn read(tokens: &[Token]) -> (Vec<Quantity>, Vec<bool>) {
    let mut found = Vec::new();
    let mut counted = vec![false; tokens.len()];
    let mut at = 0;
    while at < tokens.len() {
        let Some((mut quantity, mut end)) = number(tokens, at) else {
            at += 1;
            continue;
        };
        let mut start = at;
        if quantity.unit.is_none() {
            if let Some(known) =
                at.checked_sub(1).and_then(|before| unit(&tokens[before].text)).filter(|unit| unit.is_money())
            {
                quantity.unit = Some(known);
                start -= 1;
            } else if let Some(known) = tokens.get(end).and_then(|token| unit(&token.text)) {
                quantity.unit = Some(known);
                end += 1;
            } else if let Some(half) = tokens.get(end).and_then(|token| meridiem(&token.text)) {
                quantity = half_day(quantity, half);
                end += 1;
            }
        }
        // An article counts only what has a unit.
        let article = matches!(tokens[at].text.as_str(), "a" | "an") && quantity.unit.is_none();
        if !article {
            counted[start..end].fill(true);
            found.push(quantity);
        }
        at = end;
    }
    (found, counted)
}

/// The numbers of a text, in one spelling and in their order of size.
pub fn figures(text: &str) -> String {
    let (found, _) = read(&tokens(text));
    let mut found: Vec<String> =
        found.iter().filter(|quantity| !quantity.weak).map(Quantity::written).collect();
    found.sort_unstable();
    found.join(" ")
}

/// The number that begins at `at`, without a unit that follows, and where it ends.
fn number(tokens: &[Token], at: usize) -> Option<(Quantity, usize)> {
    let text = tokens[at].text.as_str();
    if let Some(figure) = figure(text) {
        let (value, unit) = match figure {
            Figure::Number(value) => (Value::Known(value), None),
            Figure::Clock(minutes) => (Value::Known(minutes), Some(Unit::CLOCK)),
            Figure::Code(code) => (Value::Code(code), None),
            Figure::Counting(value, rest) => match (unit(rest), meridiem(rest)) {
                (Some(unit), _) => (Value::Known(value), Some(unit)),
                (None, Some(half)) => return Some((half_day(plain(Value::Known(value)), half), at + 1)),
                (None, None) => (Value::Code(text.to_owned()), None),
            },
        };
        let (value, end) = scaled(value, tokens, at + 1);
        return Some((Quantity { value, unit, weak: false }, end));
    }
    let (value, end) = numerals::words(tokens, at)?;
    let weak = end == at + 1 && small(text);
    Some((Quantity { value: Value::Known(value), unit: None, weak }, end))
}

fn plain(value: Value) -> Quantity {
    Quantity { value, unit: None, weak: false }
}

/// `2 million`.
fn scaled(value: Value, tokens: &[Token], end: usize) -> (Value, usize) {
    match (&value, tokens.get(end).and_then(|token| numerals::scale(&token.text))) {
        (Value::Known(known), Some(scale)) => (Value::Known(known * scale), end + 1),
        _ => (value, end),
    }
}

/// Minutes from noon for `pm`, from midnight for `am`.
fn meridiem(text: &str) -> Option<f64> {
    match text {
        "am" => Some(0.0),
        "pm" => Some(720.0),
        _ => None,
    }
}

fn half_day(quantity: Quantity, half: f64) -> Quantity {
    let Value::Known(value) = quantity.value else { return quantity };
    let minutes = if quantity.unit == Some(Unit::CLOCK) { value } else { value * 60.0 };
    Quantity { value: Value::Known(minutes % 720.0 + half), unit: Some(Unit::CLOCK), weak: false }
}

/// Each quantity must be in the other text, as often as here. What stands without a unit is the
/// same with any but a time of day.
pub(super) fn veto(one: &Reading, other: &Reading) -> Option<Veto> {
    let mut theirs: Vec<&Quantity> = other.quantities.iter().collect();
    let mut mine = Vec::new();
    for quantity in &one.quantities {
        match theirs.iter().position(|other| quantity.is(other)) {
            Some(found) => {
                theirs.swap_remove(found);
            }
            None => mine.push(quantity),
        }
    }
    let left: Vec<&Quantity> =
        mine.iter().copied().chain(theirs.iter().copied()).filter(|quantity| !quantity.weak).collect();
    let same_value = |quantity: &&Quantity| theirs.iter().any(|other| other.value == quantity.value);
    match left.first() {
        None => None,
        Some(_) if mine.iter().any(same_value) => Some(Veto::Unit),
        Some(quantity) if quantity.unit == Some(Unit::CLOCK) => Some(Veto::Date),
        Some(_) => Some(Veto::Number),
    }
}

impl Quantity {
    fn written(&self) -> String {
        match (&self.value, self.unit) {
            (Value::Code(code), _) => code.clone(),
            (Value::Known(value), Some(unit)) => format!("{} {}", value * unit.factor, unit.dimension),
            (Value::Known(value), None) => value.to_string(),
        }
    }

    fn is(&self, other: &Quantity) -> bool {
        match (&self.value, &other.value, self.unit, other.unit) {
            (Value::Code(one), Value::Code(other), ..) => one == other,
            (Value::Known(one), Value::Known(other), Some(mine), Some(theirs)) => {
                mine.dimension == theirs.dimension && near(one * mine.factor, other * theirs.factor)
            }
            (Value::Known(one), Value::Known(other), mine, theirs) => {
                near(*one, *other) && mine.or(theirs) != Some(Unit::CLOCK)
            }
            _ => false,
        }
    }
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs())
}
