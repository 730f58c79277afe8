//! Whether the answer to a near question may be given to this one.

use serde::{Deserialize, Serialize};

use super::cache::CacheKey;

/// What is known of a stored answer, for telling whether two answers are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerMark {
    /// SHA-256 of its normalised text, in hex.
    pub digest: String,
    /// Its embedding, each component times 127, as signed bytes in base64.
    pub vector: String,
}

/// A stored question near the one that is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    pub key: CacheKey,
    /// Cosine, -1 to 1.
    pub similarity: f32,
    pub question: String,
    pub answer: AnswerMark,
}

/// By which rules candidates are judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Cosine from which a candidate may be served.
    pub threshold: f32,
    /// How much nearer than the best one with another answer the candidate must be, in cosine.
    pub margin: f32,
}

/// What came of a lookup; its name is counted and told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Served,
    /// Nothing is stored in the partition.
    NoNeighbour,
    BelowThreshold,
    /// Another stored answer is nearly as near.
    Margin,
}

impl Verdict {
    /// As it is told and counted.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Served => "served",
            Verdict::NoNeighbour => "no_neighbour",
            Verdict::BelowThreshold => "below_threshold",
            Verdict::Margin => "margin",
        }
    }
}

/// The verdict, and the nearest stored question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub verdict: Verdict,
    /// Cosine of the nearest, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f32>,
    /// The entry to serve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<CacheKey>,
}

/// Judges the candidates, nearest first.
pub fn judge(_question: &str, candidates: &[Candidate], rules: &Rules) -> Finding {
    let Some(nearest) = candidates.iter().max_by(|a, b| a.similarity.total_cmp(&b.similarity)) else {
        return Finding { verdict: Verdict::NoNeighbour, similarity: None, key: None };
    };
    let rival = candidates
        .iter()
        .filter(|other| other.answer.digest != nearest.answer.digest)
        .map(|other| other.similarity)
        .fold(f32::NEG_INFINITY, f32::max);
    let verdict = match nearest.similarity {
        similarity if similarity < rules.threshold => Verdict::BelowThreshold,
        similarity if similarity - rival < rules.margin => Verdict::Margin,
        _ => Verdict::Served,
    };
    let key = (verdict == Verdict::Served).then(|| nearest.key.clone());
    Finding { verdict, similarity: Some(nearest.similarity), key }
}
