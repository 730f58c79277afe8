//! Ids of tool calls, for vendors that take fewer characters than those who made them.

use std::borrow::Cow;
use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The longest id that Anthropic and Bedrock take, in bytes.
const LENGTH_MAX: usize = 64;
/// Bytes of the hash that stand for an id: enough that two ids of one conversation never meet, and
/// few enough that the new id stays within what the hold counts for a call.
const HASH_BYTES: usize = 6;

/// The id as it stands where it has 1 to 64 bytes and `is_allowed` takes each, else one made of its
/// hash, in letters, digits and an underscore. The same id always becomes the same, so that a call
/// and its result still find each other.
pub fn fit(id: &str, is_allowed: fn(u8) -> bool) -> Cow<'_, str> {
    let fits = (1..=LENGTH_MAX).contains(&id.len()) && id.bytes().all(is_allowed);
    if fits { Cow::Borrowed(id) } else { Cow::Owned(hashed(id)) }
}

fn hashed(id: &str) -> String {
    Sha256::digest(id).iter().take(HASH_BYTES).fold("call_".to_owned(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_word(byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || byte == b'_'
    }

    #[test]
    fn an_id_that_fits_is_left_alone() {
        assert_eq!(fit("call_a1", is_word), "call_a1");
        assert_eq!(fit(&"a".repeat(64), is_word), "a".repeat(64));
    }

    #[test]
    fn any_other_id_becomes_one_that_fits_and_always_the_same() {
        let others = ["", "call a1", "call.a1", "höhe", &"a".repeat(65)];
        for id in others {
            let fitted = fit(id, is_word);
            assert_eq!(fitted.len(), 17, "{id:?}");
            assert!(fitted.bytes().all(is_word), "{fitted}");
            assert_eq!(fitted, fit(id, is_word));
        }
        assert_ne!(fit("call a1", is_word), fit("call a2", is_word));
        assert_eq!(fit("", is_word), "call_e3b0c44298fc", "SHA-256 of nothing");
    }
}
