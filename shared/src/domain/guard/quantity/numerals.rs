//! Numbers as they are written.

use crate::domain::guard::tokens::Token;

/// A token that begins with a figure.
pub(super) enum Figure<'a> {
    Number(f64),
    /// Minutes after midnight.
    Clock(f64),
    /// A number and the letters that follow it at once.
    Counting(f64, &'a str),
    /// Figures of more digits than a number has, or among letters.
    Code(String),
}

/// Digits up to which a run of figures is read as a number.
const DIGITS: usize = 12;

pub(super) fn figure(text: &str) -> Option<Figure<'_>> {
    if !text.starts_with(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    let end = text.find(|letter: char| !matches!(letter, '0'..='9' | '.' | ',' | ':')).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let code = || Some(Figure::Code(text.to_owned()));
    if let Some((hours, minutes)) = digits.split_once(':') {
        return match (hours.parse::<u32>(), minutes.parse::<u32>()) {
            (Ok(hours @ 0..24), Ok(minutes @ 0..60)) if rest.is_empty() => {
                Some(Figure::Clock(f64::from(hours * 60 + minutes)))
            }
            (Ok(hours @ 0..=12), Ok(minutes @ 0..60)) if matches!(rest, "am" | "pm") => {
                let half = if rest == "pm" { 720 } else { 0 };
                Some(Figure::Clock(f64::from((hours * 60 + minutes) % 720 + half)))
            }
            _ => code(),
        };
    }
    let bare: String = digits.chars().filter(|letter| *letter != ',').collect();
    // More than one point makes a version or an address; leading zeros a code.
    let known = bare.len() <= DIGITS && !(bare.len() > 1 && bare.starts_with('0') && !bare.contains('.'));
    let Some(value) = bare.parse::<f64>().ok().filter(|_| known) else { return code() };
    match rest {
        "" | "st" | "nd" | "rd" | "th" | "s" => Some(Figure::Number(value)),
        "k" => Some(Figure::Number(value * 1e3)),
        "m" | "mn" | "mio" => Some(Figure::Number(value * 1e6)),
        "bn" => Some(Figure::Number(value * 1e9)),
        _ => Some(Figure::Counting(value, rest)),
    }
}

const UNITS: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const ORDINALS: [&str; 12] = [
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
];
const OTHERS: [(&str, f64); 12] = [
    ("a", 1.0),
    ("an", 1.0),
    ("single", 1.0),
    ("once", 1.0),
    ("twice", 2.0),
    ("double", 2.0),
    ("couple", 2.0),
    ("thrice", 3.0),
    ("triple", 3.0),
    ("half", 0.5),
    ("dozen", 12.0),
    ("fourty", 40.0),
];

/// Words for one, which often count nothing.
pub(super) fn small(text: &str) -> bool {
    matches!(text, "a" | "an" | "one" | "single" | "once")
}

fn word(text: &str) -> Option<f64> {
    let position = |list: &[&str], first: u32, step: u32| {
        let index = list.iter().position(|word| *word == text)?;
        Some(f64::from(first + step * u32::try_from(index).ok()?))
    };
    let other = || OTHERS.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    position(&UNITS, 0, 1)
        .or_else(|| position(&TENS, 20, 10))
        .or_else(|| position(&ORDINALS, 2, 1))
        .or_else(other)
}

pub(super) fn scale(text: &str) -> Option<f64> {
    match text {
        "hundred" => Some(1e2),
        "thousand" | "grand" => Some(1e3),
        "million" => Some(1e6),
        "billion" => Some(1e9),
        "trillion" => Some(1e12),
        _ => None,
    }
}

/// The number in words that begins at `at`, and where it ends: `two hundred and fifty`.
pub(super) fn words(tokens: &[Token], at: usize) -> Option<(f64, usize)> {
    let text = |index: usize| tokens.get(index).map_or("", |token| token.text.as_str());
    let mut part = word(text(at)).or_else(|| scale(text(at)))?;
    let (mut sum, mut end) = (0.0, at + 1);
    let article = matches!(text(at), "a" | "an");
    if article && scale(text(end)).is_none() && !matches!(text(end), "dozen" | "couple" | "half") {
        return Some((1.0, end));
    }
    loop {
        let next = text(end);
        if let Some(scale) = scale(next) {
            part *= scale;
            if scale > 100.0 {
                sum += part;
                part = 0.0;
            }
        } else if let Some(known) = word(next).filter(|_| !matches!(next, "a" | "an")) {
            // Only `twenty five` and `hundred five` are one number; `five six` are two.
            let tens = (20.0..100.0).contains(&part) && part % 10.0 == 0.0 && (1.0..10.0).contains(&known);
            let hundreds = part >= 100.0 && known < 100.0;
            match (tens, hundreds, article && matches!(next, "dozen" | "couple" | "half")) {
                (false, false, true) => part = known,
                (false, false, false) if part == 0.0 && sum > 0.0 => part = known,
                (false, false, false) => break,
                _ => part += known,
            }
        } else if !(next == "and" && part >= 100.0 && word(text(end + 1)).is_some()) {
            break;
        }
        end += 1;
    }
    Some((sum + part, end))
}
