//! What is kept of an answer beside its text, to tell whether two answers are the same.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::guard::{figures, plain};
use crate::domain::key::hex;

/// Answers with fewer words are the same only word for word: their vectors say little.
const SHORT: usize = 12;
/// Cosine from which longer ones with the same numbers are.
const SAME: f32 = 0.9;
/// Hex digits kept of the digest over the numbers.
const FIGURES: usize = 16;

/// What is known of a stored answer, for telling whether two answers are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerMark {
    /// SHA-256 of its normalised text, in hex.
    pub digest: String,
    /// Its embedding, each component times 127, as signed bytes in base64; empty for a short one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub vector: String,
    /// The start of the SHA-256 of the numbers in it, in hex.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub figures: String,
}

impl AnswerMark {
    /// `vector` is the embedding of `text`, of length one.
    pub fn of(text: &str, vector: &[f32]) -> Self {
        let plain = plain(text);
        let short = plain.split(' ').count() < SHORT;
        let mut figures = hex(&Sha256::digest(figures(text).as_bytes()));
        figures.truncate(FIGURES);
        AnswerMark {
            digest: hex(&Sha256::digest(plain.as_bytes())),
            vector: if short { String::new() } else { BASE64.encode(signed(vector)) },
            figures,
        }
    }

    /// Whether the two say the same, as far as marks can tell. What cannot be read says something else.
    pub fn agrees(&self, other: &AnswerMark) -> bool {
        if self.digest == other.digest {
            return true;
        }
        let near = || cosine(&self.vector, &other.vector).is_some_and(|cosine| cosine >= SAME);
        self.figures == other.figures && near()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a component of a vector of length one, times 127, is a byte"
)]
fn signed(vector: &[f32]) -> Vec<u8> {
    vector.iter().map(|component| ((component * 127.0).round() as i8).cast_unsigned()).collect()
}

fn cosine(one: &str, other: &str) -> Option<f32> {
    let bytes = |text: &str| BASE64.decode(text).ok().filter(|bytes| !bytes.is_empty());
    let (one, other) = (bytes(one)?, bytes(other)?);
    if one.len() != other.len() {
        return None;
    }
    let dot = |a: &[u8], b: &[u8]| -> f32 {
        a.iter().zip(b).map(|(a, b)| f32::from(a.cast_signed()) * f32::from(b.cast_signed())).sum()
    };
    Some(dot(&one, &other) / (dot(&one, &one) * dot(&other, &other)).sqrt())
}
