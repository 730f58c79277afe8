//! What a provider must see again and a caller must not touch, as the `encrypted_content` of a
//! reasoning item.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::protocol::canonical::ReasoningBlock;

/// Names the writer and the version of what follows. It is encoded, not encrypted: the providers'
/// own seals are inside, and without them no provider believes it.
const PREFIX: &str = "tgr1.";

/// The content of one reasoning item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Sealed {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) blocks: Vec<ReasoningBlock>,
    /// Google's seals on tool calls, by the id of the call.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) calls: BTreeMap<String, String>,
}

/// It begins like ours and cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damaged;

impl Sealed {
    /// The content, if there is any. Reasoning that could be read as it stands is in it too: some
    /// clients send no reasoning item back without.
    pub(super) fn write(&self) -> Option<String> {
        if self.blocks.is_empty() && self.calls.is_empty() {
            return None;
        }
        let json = serde_json::to_vec(self).ok()?;
        Some(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(json)))
    }

    /// What was written before. None for the content of another vendor, which no provider reached
    /// through chat completions or Messages can read.
    ///
    /// # Errors
    /// [`Damaged`].
    pub(super) fn read(content: &str) -> Result<Option<Self>, Damaged> {
        let Some(encoded) = content.strip_prefix(PREFIX) else {
            return Ok(None);
        };
        let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Damaged)?;
        serde_json::from_slice(&json).map(Some).map_err(|_| Damaged)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(text: &str, signature: Option<&str>) -> ReasoningBlock {
        ReasoningBlock { text: text.to_owned(), signature: signature.map(str::to_owned), redacted: None }
    }

    #[test]
    fn nothing_needs_no_seal() {
        assert_eq!(Sealed::default().write(), None);
    }

    #[test]
    fn what_others_encrypted_is_not_ours_and_what_was_damaged_is_told() {
        assert_eq!(Sealed::read("gAAAAABo"), Ok(None));
        assert_eq!(Sealed::read("tgr2.e30"), Ok(None));
        assert_eq!(Sealed::read("tgr1.e30"), Ok(Some(Sealed::default())));
        for content in ["tgr1.", "tgr1.e3", "tgr1.e30=", "tgr1.W10x", "tgr1.\u{e9}"] {
            assert_eq!(Sealed::read(content), Err(Damaged), "{content}");
        }
    }

    proptest! {
        #[test]
        fn everything_sealed_comes_back(
            text in ".*", signature in ".*", data in ".*", calls in proptest::collection::btree_map(".*", ".*", 0..3),
        ) {
            let redacted = ReasoningBlock { redacted: Some(data), ..ReasoningBlock::default() };
            let blocks = vec![block(&text, Some(&signature)), redacted, block(&text, None)];
            let sealed = Sealed { blocks, calls };
            let content = sealed.write().expect("there is content");
            prop_assert!(content.is_ascii());
            prop_assert_eq!(Sealed::read(&content), Ok(Some(sealed)));
        }
    }
}
