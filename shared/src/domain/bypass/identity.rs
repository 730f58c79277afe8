//! What names or reaches a person, or the person's account.

use super::numbers::{Run, runs};

pub(super) fn holds(text: &str) -> bool {
    text.split_whitespace().any(|word| address(word) || national(word))
        || runs(text).iter().any(number)
        || iban(text)
}

/// An e-mail address.
fn address(word: &str) -> bool {
    let word = word.trim_matches(|letter: char| !letter.is_alphanumeric());
    word.split_once('@').is_some_and(|(name, host)| {
        let (first, last) = host.rsplit_once('.').unwrap_or_default();
        !name.is_empty()
            && !first.is_empty()
            && last.len() >= 2
            && last.bytes().all(|byte| byte.is_ascii_alphabetic())
    })
}

fn number(run: &Run) -> bool {
    let count = run.digits.len();
    let card = (13..=19).contains(&count) && luhn(&run.digits);
    let shape = run.shape.as_str();
    // United States, Brazil, and the groups of India's.
    let person = matches!(shape, "3-2-4" | "3.3.3-2") || shape == "4 4 4";
    let abroad = run.plus && (8..=15).contains(&count);
    let home = run.digits.starts_with(&[0])
        && matches!(count, 10 | 11)
        && (run.groups > 1 || !run.digits.starts_with(&[0, 0]));
    let american = matches!(shape, "3-3-4" | "3.3.4" | "3 3 4");
    card || person || abroad || home || american
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match u32::from(*digit) * if at % 2 == 1 { 2 } else { 1 } {
            doubled @ 10.. => doubled - 9,
            single => single,
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

/// Numbers of persons that mix letters and figures: Spain's, Italy's, and the United Kingdom's
/// written together.
fn national(word: &str) -> bool {
    let word = word.trim_matches(|letter: char| !letter.is_ascii_alphanumeric()).to_ascii_uppercase();
    let shape: String =
        word.chars().map(|letter| if letter.is_ascii_digit() { '9' } else { letter }).collect();
    let letters = |at: std::ops::Range<usize>| {
        shape.get(at).is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_uppercase()))
    };
    match shape.len() {
        9 if shape.get(..8) == Some("99999999") && letters(8..9) => spanish(&word),
        9 if letters(0..2) && shape.get(2..8) == Some("999999") => matches!(shape.as_bytes()[8], b'A'..=b'D'),
        16 => {
            letters(0..6)
                && shape.get(6..8) == Some("99")
                && letters(8..9)
                && letters(15..16)
                && shape.get(12..15) == Some("999")
        }
        _ => false,
    }
}

fn spanish(word: &str) -> bool {
    let (digits, letter) = word.split_at(8);
    let rest = digits.parse::<usize>().unwrap_or_default() % 23;
    letter.as_bytes().first() == b"TRWAGMYFPDXBNJZSQVHLCKE".get(rest)
}

/// Letters and figures of the longest account number.
const IBAN: std::ops::RangeInclusive<usize> = 15..=34;

/// An account number whose check digits are right, in groups or in one.
fn iban(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    (0..letters.len()).any(|at| {
        let starts = at == 0 || !letters[at - 1].is_alphanumeric();
        starts && country(&letters[at..]) && candidates(&letters[at..]).any(|found| checks(&found))
    })
}

fn country(letters: &[char]) -> bool {
    matches!(letters, [a, b, c, d, ..] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && c.is_ascii_digit() && d.is_ascii_digit())
}

/// What may be the number, up to each of its possible ends.
fn candidates(letters: &[char]) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    let mut kept = String::new();
    for (at, letter) in letters.iter().enumerate().take(IBAN.end() * 2) {
        match letter {
            letter if letter.is_ascii_alphanumeric() => kept.push(letter.to_ascii_uppercase()),
            ' ' | '-' => continue,
            _ => break,
        }
        let ends = letters.get(at + 1).is_none_or(|next| !next.is_ascii_alphanumeric());
        if ends && IBAN.contains(&kept.len()) {
            found.push(kept.clone());
        }
    }
    found.into_iter()
}

fn checks(number: &str) -> bool {
    let (start, rest) = number.split_at(4);
    let remainder = rest.chars().chain(start.chars()).fold(0_u32, |sum, letter| {
        let value = letter.to_digit(36).unwrap_or_default();
        (if value < 10 { sum * 10 + value } else { sum * 100 + value }) % 97
    });
    remainder == 1
}
