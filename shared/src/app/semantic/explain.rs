//! What the cache would say of two texts, for people who wonder.

use serde::Serialize;

use super::{embed, rules};
use crate::app::bypass::by_text;
use crate::config::{Cache, SemanticMode};
use crate::domain::cache::CacheKey;
use crate::domain::guard::asked;
use crate::domain::verdict::{AnswerMark, Candidate, judge};
use crate::ports::Embedder;

/// The verdict on a text, were the other one the only one that is stored.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// As it is counted; `bypass` where the text is never looked up.
    pub verdict: String,
    /// Why the text, or the one it is held against, is kept out of the cache.
    pub bypass: Option<&'static str>,
    pub similarity: f32,
    /// Below it nothing is served.
    pub lowest: f32,
    /// From here on the words do not matter, unless a guard objects.
    pub threshold: f32,
    pub profile: &'static str,
    pub mode: &'static str,
}

/// Explains the verdict on `text` against a stored `against`, by the rules of `model`.
///
/// # Errors
/// The embedder's own words.
pub async fn explain(
    cache: &Cache,
    embedder: &dyn Embedder,
    model: &str,
    text: &str,
    against: &str,
) -> Result<Explanation, String> {
    let vectors = embed(embedder, &[&asked(text), &asked(against)]).await?;
    let similarity = vectors
        .split_first()
        .map_or(0.0, |(text, rest)| rest.first().map_or(0.0, |against| cosine(text, against)));
    let candidate = Candidate {
        key: CacheKey::of_bytes(against.as_bytes()),
        similarity,
        question: against.to_owned(),
        answer: AnswerMark::default(),
    };
    let (rules, set) = (rules(cache, model), cache.semantic_rules(model));
    let finding = judge(text, &[candidate], &rules);
    let bypass = by_text(text).or_else(|| by_text(against));
    let verdict = match (bypass, set.mode) {
        (Some(_), _) => "bypass",
        (None, SemanticMode::Off) => "off",
        (None, SemanticMode::On | SemanticMode::Shadow) => finding.verdict.name(),
    };
    Ok(Explanation {
        verdict: verdict.to_owned(),
        bypass,
        similarity,
        lowest: rules.lowest(),
        threshold: rules.threshold,
        profile: set.profile.name(),
        mode: set.mode.name(),
    })
}

/// Of vectors of length one.
fn cosine(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}
