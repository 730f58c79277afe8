//! Keys, tokens and passwords.

/// What secrets of well-known services begin with.
const PREFIXES: [&str; 25] = [
    "sk-",
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "pk_live_",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xapp-",
    "akia",
    "asia",
    "aiza",
    "ya29.",
    "npm_",
    "pypi-",
    "hf_",
    "dckr_pat_",
    "shpat_",
    "tg-",
];
/// What stands before a secret that somebody writes out.
const NAMES: [&str; 11] = [
    "password",
    "passwd",
    "pwd",
    "passcode",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api_key",
    "pin",
    "otp",
];
/// Letters after a known prefix.
const AFTER_PREFIX: usize = 12;
/// Letters of a run of letters and figures that no word and no number has.
const RANDOM: usize = 24;

pub(super) fn holds(text: &str) -> bool {
    text.contains("-----BEGIN") && text.contains("PRIVATE KEY")
        || text.split_whitespace().any(secret)
        || written(text)
}

fn secret(word: &str) -> bool {
    // Values stand after `=` or `:` and in quotes or brackets as well.
    word.split(['=', '"', '\'', '`', ',', ';', '(', ')', '<', '>', '[', ']', '{', '}']).any(|part| {
        let part = part.rsplit_once(':').map_or(part, |(_, value)| value);
        known(part) || signed(part) || random(part)
    })
}

fn known(part: &str) -> bool {
    PREFIXES.iter().any(|prefix| {
        let start = part.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        start && part.len() >= prefix.len() + AFTER_PREFIX && part.bytes().any(|byte| byte.is_ascii_digit())
    })
}

/// A JSON web token.
fn signed(part: &str) -> bool {
    part.starts_with("eyJ") && part.split('.').count() == 3 && part.len() > RANDOM
}

/// Letters and figures in one run, changing too often to be a name with a number.
fn random(part: &str) -> bool {
    let part = part.trim_end_matches(['.', '?', '!']);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+/_-=".contains(&byte);
    if part.len() < RANDOM || !part.bytes().all(allowed) {
        return false;
    }
    let changes =
        part.as_bytes().windows(2).filter(|two| two[0].is_ascii_digit() != two[1].is_ascii_digit()).count();
    changes >= 6
}

/// `my password is hunter2`, `PIN: 4711`.
fn written(text: &str) -> bool {
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let lower = word.to_ascii_lowercase();
        let (name, said) = match lower.split_once([':', '=']) {
            Some((name, value)) if !value.is_empty() => {
                if NAMES.contains(&name) && !value.starts_with('/') {
                    return true;
                }
                continue;
            }
            Some((name, _)) => (name.to_owned(), true),
            None => (lower.clone(), words.next_if(|next| matches!(*next, "is" | "=" | ":")).is_some()),
        };
        if said
            && NAMES.contains(&name.as_str())
            && words.peek().is_some_and(|value| value.bytes().any(|byte| byte.is_ascii_digit()))
        {
            return true;
        }
    }
    false
}
