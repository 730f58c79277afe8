//! Questions of eleven words, each one piece of the embedder's vocabulary: thirteen with the frame.

use fastrand::Rng;

const WORDS: [&[&str]; 11] = [
    &["how", "when", "where", "why"],
    &["do", "can", "should", "did"],
    &["i", "we", "they", "people"],
    &["change", "find", "open", "close", "move", "read", "send", "sell"],
    &["the", "a", "another", "this"],
    &["old", "new", "small", "large", "last", "first", "red", "lost"],
    &["account", "house", "letter", "car", "book", "ticket", "river", "garden"],
    &["of", "in", "near", "behind", "with"],
    &["my", "our", "your", "their"],
    &["bank", "city", "school", "company", "doctor", "sister", "phone", "country"],
    &["today", "again", "tomorrow", "online", "alone", "before"],
];

pub(crate) fn text(rng: &mut Rng) -> String {
    WORDS.map(|choice| choice[rng.usize(..choice.len())]).join(" ")
}
