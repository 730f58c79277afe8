//! A text as words: one spelling of letters, contractions taken apart, hyphens gone.

use unicode_normalization::UnicodeNormalization;

/// A word, a number or a sign, and how it stood in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// In small letters.
    pub text: String,
    /// It begins with a capital letter, and no sentence begins with it.
    pub capital: bool,
}

/// Reads what follows an apostrophe, and what is commonly written without one.
const CONTRACTED: [(&str, &[&str]); 23] = [
    ("can't", &["can", "not"]),
    ("cant", &["can", "not"]),
    ("cannot", &["can", "not"]),
    ("won't", &["will", "not"]),
    ("wont", &["will", "not"]),
    ("shan't", &["shall", "not"]),
    ("ain't", &["is", "not"]),
    ("aint", &["is", "not"]),
    ("dont", &["do", "not"]),
    ("doesnt", &["does", "not"]),
    ("didnt", &["did", "not"]),
    ("isnt", &["is", "not"]),
    ("arent", &["are", "not"]),
    ("wasnt", &["was", "not"]),
    ("werent", &["were", "not"]),
    ("hasnt", &["has", "not"]),
    ("havent", &["have", "not"]),
    ("hadnt", &["had", "not"]),
    ("shouldnt", &["should", "not"]),
    ("couldnt", &["could", "not"]),
    ("wouldnt", &["would", "not"]),
    ("mustnt", &["must", "not"]),
    ("whats", &["what", "is"]),
];
const CLITICS: [&str; 6] = ["'s", "'re", "'ve", "'ll", "'d", "'m"];
/// Words after which an `'s` is a verb.
const ASKING: [&str; 10] = ["what", "who", "where", "when", "how", "why", "it", "that", "there", "here"];
const SIGNS: [char; 7] = ['$', '£', '€', '¥', '₹', '%', '°'];

/// The text in compatibility form, small letters and single spaces: what two texts have in common
/// that differ in nothing a reader hears.
pub fn plain(text: &str) -> String {
    let text = text.nfkc().flat_map(char::to_lowercase).collect::<String>();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words of a text in small letters, contractions taken apart.
pub fn spoken(text: &str) -> Vec<String> {
    tokens(text).into_iter().map(|token| token.text).collect()
}

pub(super) fn tokens(text: &str) -> Vec<Token> {
    let letters: Vec<char> = text.nfkc().map(straight).collect();
    let mut found = Vec::new();
    let mut initial = true;
    let mut at = 0;
    while at < letters.len() {
        let end = word_end(&letters, at);
        if end > at {
            push_word(&mut found, &letters[at..end], initial);
            initial = false;
            at = end;
            continue;
        }
        let letter = letters[at];
        if SIGNS.contains(&letter) {
            found.push(Token { text: letter.to_string(), capital: false });
        }
        initial |= matches!(letter, '.' | '!' | '?' | '\n' | ':' | ';');
        at += 1;
    }
    found
}

fn straight(letter: char) -> char {
    match letter {
        '\u{2019}' | '\u{2018}' | '\u{02bc}' | '`' => '\'',
        other => other,
    }
}

/// Where the word ends that begins at `at`; `at` itself if none does.
fn word_end(letters: &[char], at: usize) -> usize {
    let digit = |index: usize| letters.get(index).is_some_and(char::is_ascii_digit);
    let word = |index: usize| letters.get(index).is_some_and(|letter| letter.is_alphanumeric());
    let mut end = at;
    while end < letters.len() {
        let inside = match letters[end] {
            letter if letter.is_alphanumeric() => true,
            '\'' => end > at && word(end - 1) && word(end + 1),
            '.' | ',' | ':' => end > at && digit(end - 1) && digit(end + 1),
            // C++ and C# are not C.
            '+' | '#' => end > at && (word(end - 1) || letters[end - 1] == '+') && !word(end + 1),
            _ => false,
        };
        if !inside {
            break;
        }
        end += 1;
    }
    end
}

fn push_word(found: &mut Vec<Token>, letters: &[char], initial: bool) {
    let text: String = letters.iter().flat_map(|letter| letter.to_lowercase()).collect();
    let capital = !initial && letters[0].is_uppercase() && text != "i";
    let mut push = |text: &str, capital| found.push(Token { text: text.to_owned(), capital });
    if let Some((_, parts)) = CONTRACTED.iter().find(|(written, _)| *written == text) {
        return parts.iter().for_each(|part| push(part, false));
    }
    if let Some(verb) = text.strip_suffix("n't") {
        push(verb, false);
        return push("not", false);
    }
    let clitic = CLITICS.iter().find_map(|clitic| text.strip_suffix(clitic));
    let word = clitic.unwrap_or(&text);
    push(word, capital && word != "i");
    if ASKING.contains(&word) && text.ends_with("'s") {
        push("is", false);
    }
}
