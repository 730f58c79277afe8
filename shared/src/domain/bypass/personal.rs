//! Questions about what the asker has, whose answer is no one else's. A question how something is
//! done with `my card` is everybody's.

/// What somebody has that is told by a look at it.
const STATE: [&str; 35] = [
    "balance",
    "bill",
    "invoice",
    "statement",
    "salary",
    "payslip",
    "order",
    "orders",
    "parcel",
    "package",
    "delivery",
    "shipment",
    "refund",
    "appointment",
    "appointments",
    "booking",
    "bookings",
    "reservation",
    "schedule",
    "calendar",
    "meeting",
    "meetings",
    "flight",
    "claim",
    "application",
    "ticket",
    "tickets",
    "transactions",
    "points",
    "score",
    "grade",
    "grades",
    "results",
    "name",
    "number",
];
/// How such a question begins.
const LOOKS: [&[&str]; 18] = [
    &["what", "is"],
    &["what", "was"],
    &["what", "are"],
    &["what", "were"],
    &["when", "is"],
    &["when", "was"],
    &["where", "is"],
    &["where", "are"],
    &["where", "was"],
    &["show", "me"],
    &["show"],
    &["tell", "me"],
    &["list"],
    &["read", "me"],
    &["track"],
    &["check"],
    &["how", "much", "is"],
    &["has"],
];
const PHRASES: [&[&str]; 19] = [
    &["status", "of", "my"],
    &["who", "am", "i"],
    &["my", "name", "is"],
    &["what", "is", "my", "name"],
    &["do", "you", "remember"],
    &["did", "i", "say"],
    &["did", "i", "tell"],
    &["did", "i", "order"],
    &["did", "i", "spend"],
    &["much", "do", "i", "owe"],
    &["what", "do", "i", "owe"],
    &["do", "i", "have", "left"],
    &["have", "i", "spent"],
    &["my", "last", "order"],
    &["my", "last", "message"],
    &["my", "previous", "message"],
    &["my", "last", "payment"],
    &["my", "recent", "transactions"],
    &["on", "my", "calendar"],
];
/// Words between `my` and what the asker has.
const REACH: usize = 3;
/// Words with which a request begins that say nothing of it.
const BEGINNING: [&str; 8] = ["please", "hi", "hello", "hey", "can", "could", "you", "so"];

pub(super) fn asks(words: &[&str]) -> bool {
    PHRASES.iter().any(|phrase| words.windows(phrase.len()).any(|window| window == *phrase)) || looks(words)
}

/// `What is my balance?`, but not `what is the limit of my card?`.
fn looks(words: &[&str]) -> bool {
    let start = words.iter().take_while(|word| BEGINNING.contains(word)).count();
    let words = &words[start..];
    LOOKS.iter().filter_map(|look| words.strip_prefix(*look)).any(|rest| {
        let rest = rest.strip_prefix(&["me"]).unwrap_or(rest);
        matches!(rest.first(), Some(&("my" | "our"))) && {
            let object = &rest[1..rest.len().min(1 + REACH)];
            object
                .iter()
                .take_while(|word| !matches!(**word, "for" | "if" | "when" | "that"))
                .any(|word| STATE.contains(word))
        }
    })
}
