//! What of a message is asked.

/// Words that are spoken to the one who is asked, or while thinking.
const CHATTER: [&str; 33] = [
    "please",
    "pls",
    "plz",
    "thanks",
    "thank",
    "thankyou",
    "thx",
    "cheers",
    "ta",
    "ty",
    "kindly",
    "hi",
    "hello",
    "hey",
    "hiya",
    "dear",
    "greetings",
    "um",
    "umm",
    "uh",
    "uhh",
    "uhm",
    "er",
    "erm",
    "ah",
    "oh",
    "hmm",
    "guys",
    "mate",
    "sir",
    "madam",
    "folks",
    "yo",
];
/// Words that say nothing where a message begins with them.
const OPENING: [&str; 14] = [
    "so",
    "well",
    "ok",
    "okay",
    "and",
    "but",
    "like",
    "just",
    "morning",
    "afternoon",
    "evening",
    "good",
    "team",
    "there",
];
/// Words of a question about words: who asks how to say hello does not greet.
const LANGUAGE: [&str; 18] = [
    "say",
    "says",
    "saying",
    "word",
    "words",
    "phrase",
    "mean",
    "means",
    "meaning",
    "spell",
    "spelling",
    "spelled",
    "spelt",
    "translate",
    "translation",
    "pronounce",
    "synonym",
    "synonyms",
];
/// A message keeps at least this many words.
const LEAST: usize = 3;

/// The message without greetings, thanks and hesitation, ending like a question: what is to be
/// embedded, so that two who ask alike are near however politely they do.
pub fn asked(text: &str) -> String {
    let bares: Vec<String> = text.split_whitespace().map(bare).collect();
    let about_words = about_words(bares.iter().map(String::as_str));
    let thanked = |at: usize| bares[at] == "you" && at > 0 && bares[at - 1] == "thank";
    let said = text.split_whitespace().enumerate();
    let words: Vec<&str> = said
        .filter(|(at, _)| about_words || !(is_chatter(&bares[*at]) || thanked(*at)))
        .map(|(_, word)| word)
        .collect();
    let opening = words.iter().take_while(|word| OPENING.contains(&bare(word).as_str())).count();
    let start = opening.min(words.len().saturating_sub(LEAST));
    let kept = words[start..].join(" ");
    let kept = kept.trim_end_matches(|letter: char| letter.is_whitespace() || "?!.,;".contains(letter));
    if kept.is_empty() { text.trim().to_owned() } else { format!("{kept}?") }
}

/// Whether a word is spoken to the one who is asked.
pub(super) fn is_chatter(word: &str) -> bool {
    CHATTER.contains(&word)
}

/// Whether the text asks about words, so that none of them is chatter.
pub(super) fn about_words<'a>(mut words: impl Iterator<Item = &'a str>) -> bool {
    words.any(|word| LANGUAGE.contains(&word))
}

fn bare(word: &str) -> String {
    word.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
