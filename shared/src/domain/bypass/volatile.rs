//! Questions about the present.

/// Words that bind an answer to the day on which it is given.
const DATED: [&str; 13] = [
    "today",
    "tonight",
    "tomorrow",
    "yesterday",
    "nowadays",
    "currently",
    "latest",
    "newest",
    "weather",
    "forecast",
    "headlines",
    "live",
    "upcoming",
];
/// What is one thing today and another tomorrow, of which somebody asks as it is now.
const CHANGING: [&str; 40] = [
    "price",
    "prices",
    "cost",
    "rate",
    "rates",
    "value",
    "worth",
    "temperature",
    "time",
    "date",
    "day",
    "status",
    "score",
    "scores",
    "news",
    "version",
    "release",
    "president",
    "minister",
    "ceo",
    "champion",
    "champions",
    "leader",
    "king",
    "population",
    "stock",
    "stocks",
    "share",
    "shares",
    "market",
    "bitcoin",
    "traffic",
    "standings",
    "ranking",
    "events",
    "situation",
    "inflation",
    "odds",
    "record",
    "trend",
];
/// Words that ask for it as it is now.
const PRESENT: [&str; 5] = ["now", "current", "recent", "present", "moment"];
/// Whole phrases.
const PHRASES: [&[&str]; 14] = [
    &["what", "time", "is", "it"],
    &["what", "day", "is", "it"],
    &["what", "is", "the", "time"],
    &["what", "is", "the", "date"],
    &["what", "date", "is", "it"],
    &["right", "now"],
    &["as", "of", "now"],
    &["stock", "price"],
    &["share", "price"],
    &["price", "of", "bitcoin"],
    &["breaking", "news"],
    &["in", "the", "news"],
    &["this", "minute"],
    &["up", "to", "date"],
];
/// Words between `current` and what is, and between what is and `now`.
const REACH: usize = 3;
const BEFORE: usize = 8;
/// Words that make something else of a word: `live chat`, `a live-in nanny`.
const OTHERWISE: [(&str, &str); 4] =
    [("live", "chat"), ("live", "in"), ("live", "agent"), ("live", "person")];

pub(super) fn asks(words: &[&str]) -> bool {
    let phrase = PHRASES.iter().any(|phrase| words.windows(phrase.len()).any(|window| window == *phrase));
    phrase || (0..words.len()).any(|at| dated(words, at) || present(words, at))
}

fn dated(words: &[&str], at: usize) -> bool {
    let next = words.get(at + 1).copied().unwrap_or_default();
    // Who lives somewhere asks of no broadcast.
    let verb = words[at] == "live"
        && !matches!(next, "score" | "scores" | "stream" | "results" | "updates" | "news");
    DATED.contains(&words[at]) && !verb && !OTHERWISE.contains(&(words[at], next))
}

fn present(words: &[&str], at: usize) -> bool {
    if !PRESENT.contains(&words[at]) {
        return false;
    }
    let near = match words[at] {
        "now" | "moment" => &words[at.saturating_sub(BEFORE)..at],
        _ => &words[at + 1..words.len().min(at + 1 + REACH)],
    };
    near.iter().any(|word| CHANGING.contains(word))
}
