//! Brings the forms of an English word together: no dictionary, only endings.

/// Letters that a stem must keep.
const SHORTEST: usize = 3;

/// The word without its ending. Words of other scripts, and short ones, stay as they are.
pub(super) fn stem(word: &str) -> String {
    if word.len() <= SHORTEST || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return word.to_owned();
    }
    let singular = singular(word);
    let bare = bare(&singular);
    close(bare)
}

/// Without the ending of a plural or of a third person.
pub(super) fn singular(word: &str) -> String {
    for (ending, instead) in
        [("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("zes", "z"), ("ies", "y")]
    {
        if let Some(start) = word.strip_suffix(ending)
            && start.len() >= 2
        {
            return format!("{start}{instead}");
        }
    }
    let plural = word.len() > SHORTEST && !["ss", "us", "is"].iter().any(|ending| word.ends_with(ending));
    word.strip_suffix('s').filter(|_| plural).unwrap_or(word).to_owned()
}

fn bare(word: &str) -> &str {
    ["ing", "ied", "ed", "ly"]
        .iter()
        .filter_map(|ending| word.strip_suffix(ending).map(|start| (start, *ending)))
        .find(|(start, ending)| {
            let eed = *ending == "ed" && start.ends_with('e');
            start.len() >= SHORTEST && start.bytes().any(|byte| b"aeiouy".contains(&byte)) && !eed
        })
        .map_or(word, |(start, _)| start)
}

/// `close` and `clos`, `apply` and `appl`, `stop` and `stopp` end alike.
fn close(word: &str) -> String {
    let word = word.strip_suffix(['e', 'y', 'i']).filter(|start| start.len() >= SHORTEST).unwrap_or(word);
    let bytes = word.as_bytes();
    let doubled = bytes.len() > SHORTEST && bytes[bytes.len() - 1] == bytes[bytes.len() - 2];
    if doubled { word[..word.len() - 1].to_owned() } else { word.to_owned() }
}
