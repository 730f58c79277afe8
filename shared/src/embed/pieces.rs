//! Cuts a text into pieces of words, as BERT models read it.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Longer words are read as unknown, as in training.
const WORD_MAX_CHARS: usize = 100;

/// The word pieces of an uncased BERT model, and the ids of those that frame a text.
#[derive(Debug)]
pub(super) struct WordPieces {
    /// What a word may begin with.
    beginnings: HashMap<Box<str>, i32>,
    /// What it may go on with.
    continuations: HashMap<Box<str>, i32>,
    /// Of the longest piece, in bytes.
    longest: usize,
    unknown: i32,
    begin: i32,
    end: i32,
}

impl WordPieces {
    /// Reads a list of pieces, one on each line, in which `##` marks those that continue a word.
    pub(super) fn read(list: &str) -> Result<Self, String> {
        let mut beginnings = HashMap::with_capacity(32_768);
        let mut continuations = HashMap::with_capacity(8_192);
        for (piece, id) in list.lines().zip(0..) {
            match piece.strip_prefix("##") {
                Some(rest) if !rest.is_empty() => continuations.insert(rest.into(), id),
                _ => beginnings.insert(Box::from(piece), id),
            };
        }
        let frame =
            |name: &str| beginnings.get(name).copied().ok_or_else(|| format!("the piece {name} is missing"));
        let (unknown, begin, end) = (frame("[UNK]")?, frame("[CLS]")?, frame("[SEP]")?);
        let longest =
            beginnings.keys().chain(continuations.keys()).map(|piece| piece.len()).max().unwrap_or(0);
        Ok(WordPieces { beginnings, continuations, longest, unknown, begin, end })
    }

    /// At most `most` ids, the frame included. What is beyond is not even read. Words that name a
    /// part of the frame, such as `[SEP]`, are words like any other: a caller cannot end the text.
    pub(super) fn encode(&self, text: &str, most: usize) -> Vec<i32> {
        let room = most.saturating_sub(1);
        let mut ids = vec![self.begin];
        let mut word = String::new();
        for symbol in clean(text) {
            if ids.len() >= room {
                break;
            }
            match class(symbol) {
                Class::Accent => {}
                Class::Part => word.extend(symbol.to_lowercase()),
                Class::Space => self.take(&mut word, &mut ids),
                Class::Alone => {
                    self.take(&mut word, &mut ids);
                    word.push(symbol);
                    self.take(&mut word, &mut ids);
                }
            }
        }
        self.take(&mut word, &mut ids);
        ids.truncate(room);
        ids.push(self.end);
        ids
    }

    /// Moves the word into `ids`, piece by piece, each the longest that fits.
    fn take(&self, word: &mut String, ids: &mut Vec<i32>) {
        let before = ids.len();
        let mut rest = word.as_str();
        if rest.chars().nth(WORD_MAX_CHARS).is_some() {
            ids.push(self.unknown);
            rest = "";
        }
        while !rest.is_empty() {
            let pieces = if rest.len() == word.len() { &self.beginnings } else { &self.continuations };
            let ends = (1..=rest.len().min(self.longest)).rev().filter(|end| rest.is_char_boundary(*end));
            let Some((end, id)) = ends.filter_map(|end| pieces.get(&rest[..end]).map(|id| (end, *id))).next()
            else {
                // A word of which any part is unknown is unknown as a whole.
                ids.truncate(before);
                ids.push(self.unknown);
                break;
            };
            ids.push(id);
            rest = &rest[end..];
        }
        word.clear();
    }
}

/// The text without what cannot be seen, its letters apart from their accents.
fn clean(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|symbol| !is_invisible(*symbol)).nfd()
}

fn is_invisible(symbol: char) -> bool {
    use GeneralCategory::{Control, Format, PrivateUse};
    match symbol {
        ' '..='~' => false,
        '\u{fffd}' => true,
        _ => !symbol.is_whitespace() && matches!(symbol.general_category(), Control | Format | PrivateUse),
    }
}

enum Class {
    Accent,
    Space,
    /// A word by itself: punctuation, and the ideographs, which are written without spaces.
    Alone,
    Part,
}

fn class(symbol: char) -> Class {
    match symbol {
        'a'..='z' | 'A'..='Z' | '0'..='9' => Class::Part,
        _ if symbol.is_whitespace() => Class::Space,
        _ if symbol.is_ascii_punctuation() || is_ideograph(symbol) => Class::Alone,
        _ if symbol.general_category() == GeneralCategory::NonspacingMark => Class::Accent,
        _ if symbol.general_category_group() == GeneralCategoryGroup::Punctuation => Class::Alone,
        _ => Class::Part,
    }
}

fn is_ideograph(symbol: char) -> bool {
    matches!(symbol,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{2a6df}' | '\u{2a700}'..='\u{2ceaf}' | '\u{2f800}'..='\u{2fa1f}')
}
