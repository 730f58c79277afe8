//! How an attempt at a provider ends without an answer.

use std::fmt;
use std::time::Duration;

/// Why an attempt failed. Its debug form is for logs, and leaves out what the provider says: that may
/// repeat the prompt, or whatever else the provider was told.
#[derive(Clone, PartialEq, Eq)]
pub enum AttemptError {
    /// No connection: nothing was sent, nothing is billed.
    Connect(String),
    /// The provider answered with a status other than success, which it does not bill.
    Status { status: u16, message: String, code: Option<String>, retry_after: Option<Duration> },
    /// An error inside a 200 before or after content.
    InStream { message: String, code: Option<String> },
    /// Nothing came in time; it may be billed.
    Timeout(&'static str),
    /// The answer broke off or could not be read; it may be billed.
    Broken(String),
}

impl fmt::Debug for AttemptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AttemptError::Connect(why) => f.debug_tuple("Connect").field(why).finish(),
            AttemptError::Status { status, code, retry_after, .. } => {
                let mut shown = f.debug_struct("Status");
                shown.field("status", status).field("code", &code.as_deref().map(name));
                shown.field("retry_after", retry_after).finish_non_exhaustive()
            }
            AttemptError::InStream { code, .. } => {
                f.debug_struct("InStream").field("code", &code.as_deref().map(name)).finish_non_exhaustive()
            }
            AttemptError::Timeout(what) => f.debug_tuple("Timeout").field(what).finish(),
            AttemptError::Broken(why) => f.debug_tuple("Broken").field(why).finish(),
        }
    }
}

/// A code that looks like the name of an error, such as `rate_limit_exceeded` or `ThrottlingException`.
fn name(code: &str) -> &str {
    let is_name =
        code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphabetic() || b"_-.".contains(&byte));
    if is_name { code } else { "(no name)" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_provider_says_is_not_in_the_debug_form() {
        let status = |code: &str| AttemptError::Status {
            status: 400,
            message: "the prompt again".to_owned(),
            code: Some(code.to_owned()),
            retry_after: None,
        };
        let shown = format!("{:?}", status("context_length_exceeded"));
        assert!(shown.contains("400") && shown.contains("context_length_exceeded"), "{shown}");
        assert!(!shown.contains("prompt"), "{shown}");
        for code in ["the prompt again", "sk-0123456789", ""] {
            let shown = format!("{:?}", status(code));
            assert!(code.is_empty() || !shown.contains(code), "{shown}");
        }
        let (message, code) = ("the prompt again".to_owned(), None);
        assert!(!format!("{:?}", AttemptError::InStream { message, code }).contains("prompt"));
    }
}
