//! Whether the answer to a near question may be given to this one.

mod answer;
mod rules;
mod vote;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use answer::AnswerMark;
pub use rules::Rules;

use super::cache::CacheKey;
use super::guard::{Reading, Veto, Wording, veto};

/// A stored question near the one that is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    pub key: CacheKey,
    /// Cosine, -1 to 1.
    pub similarity: f32,
    pub question: String,
    pub answer: AnswerMark,
}

/// What came of a lookup; its name is counted and told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Served,
    /// Nothing is stored in the partition.
    NoNeighbour,
    BelowThreshold,
    /// Other stored answers are nearly as near.
    Margin,
    VetoNumber,
    VetoUnit,
    VetoDate,
    VetoNegation,
    VetoOpposite,
    VetoKind,
    VetoName,
    VetoQuote,
    VetoTemplate,
    VetoOrder,
    VetoWord,
    VetoScope,
}

impl Verdict {
    /// As it is counted and told.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Served => "served",
            Verdict::NoNeighbour => "no_neighbour",
            Verdict::BelowThreshold => "below_threshold",
            Verdict::Margin => "margin",
            Verdict::VetoNumber => "veto_number",
            Verdict::VetoUnit => "veto_unit",
            Verdict::VetoDate => "veto_date",
            Verdict::VetoNegation => "veto_negation",
            Verdict::VetoOpposite => "veto_opposite",
            Verdict::VetoKind => "veto_kind",
            Verdict::VetoName => "veto_name",
            Verdict::VetoQuote => "veto_quote",
            Verdict::VetoTemplate => "veto_template",
            Verdict::VetoOrder => "veto_order",
            Verdict::VetoWord => "veto_word",
            Verdict::VetoScope => "veto_scope",
        }
    }
}

impl From<Veto> for Verdict {
    fn from(veto: Veto) -> Self {
        match veto {
            Veto::Number => Verdict::VetoNumber,
            Veto::Unit => Verdict::VetoUnit,
            Veto::Date => Verdict::VetoDate,
            Veto::Negation => Verdict::VetoNegation,
            Veto::Opposite => Verdict::VetoOpposite,
            Veto::Kind => Verdict::VetoKind,
            Veto::Name => Verdict::VetoName,
            Veto::Quote => Verdict::VetoQuote,
            Veto::Template => Verdict::VetoTemplate,
            Veto::Order => Verdict::VetoOrder,
            Veto::Word => Verdict::VetoWord,
            Veto::Scope => Verdict::VetoScope,
        }
    }
}

/// The verdict, and the question that it is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub verdict: Verdict,
    /// Cosine of the one that is served, else of the nearest, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f32>,
    /// The entry to serve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<CacheKey>,
}

/// A candidate, read, with what the guards say of it.
struct Judged<'a> {
    candidate: &'a Candidate,
    reading: Reading,
    veto: Option<Veto>,
}

/// Judges the candidates, in any order. What is served passes every guard, is near enough for its
/// wording, and its answer outweighs all others; otherwise the verdict is what kept the nearest
/// from it.
pub fn judge(question: &str, candidates: &[Candidate], rules: &Rules) -> Finding {
    let asked = Reading::of(question);
    let mut judged: Vec<Judged> = candidates.iter().map(|candidate| Judged::of(&asked, candidate)).collect();
    judged.sort_by(|a, b| b.candidate.similarity.total_cmp(&a.candidate.similarity));
    let mut first = None;
    for at in 0..judged.len().min(rules.tried) {
        let verdict = one(&asked, &judged, at, rules);
        let candidate = judged[at].candidate;
        let served = verdict == Verdict::Served;
        if served || first.is_none() {
            let key = served.then(|| candidate.key.clone());
            first = Some(Finding { verdict, similarity: Some(candidate.similarity), key });
        }
        // Only a different question stands aside for the next.
        if served || judged[at].veto.is_none() {
            break;
        }
    }
    first.unwrap_or(Finding { verdict: Verdict::NoNeighbour, similarity: None, key: None })
}

fn one(asked: &Reading, judged: &[Judged], at: usize, rules: &Rules) -> Verdict {
    let Judged { candidate, reading, veto: found } = &judged[at];
    if candidate.similarity < rules.lowest() {
        return Verdict::BelowThreshold;
    }
    if let Some(veto) = found {
        return (*veto).into();
    }
    let same = veto(asked, reading, Wording::Same);
    let near = match same {
        None => candidate.similarity >= rules.alike,
        Some(_) => candidate.similarity >= rules.threshold || backed(judged, at, rules),
    };
    match same {
        // Nearer wording, or more who asked it otherwise, would have done.
        Some(veto) if !near => veto.into(),
        _ if !near => Verdict::BelowThreshold,
        _ if !vote::outweighs(judged, at, same.is_none(), rules.outweigh) => Verdict::Margin,
        _ => Verdict::Served,
    }
}

/// The answer was given to another wording as well that is near: it does not hang on the words.
fn backed(judged: &[Judged], at: usize, rules: &Rules) -> bool {
    let candidate = judged[at].candidate;
    candidate.similarity >= rules.backed
        && judged.iter().enumerate().any(|(other, by)| {
            other != at
                && by.candidate.similarity >= rules.backing
                && by.candidate.answer.agrees(&candidate.answer)
        })
}

impl<'a> Judged<'a> {
    fn of(asked: &Reading, candidate: &'a Candidate) -> Self {
        let reading = Reading::of(&candidate.question);
        let veto = veto(asked, &reading, Wording::Free);
        Judged { candidate, reading, veto }
    }
}
