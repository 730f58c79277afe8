//! Pairs of questions of which it is known whether one answer does for both.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use shared::domain::bypass::bypass;
use shared::domain::cache::CacheKey;
use shared::domain::verdict::{AnswerMark, Candidate, Rules, Verdict, judge};

use crate::share::Share;
use crate::vectors::Vectors;

#[derive(Clone, Debug)]
pub struct Pair {
    pub stored: String,
    pub asked: String,
    /// One answer does for both.
    pub same: bool,
    pub category: String,
}

/// Rules are tuned on one half and reported on the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    Tuning,
    Reporting,
}

impl Pair {
    /// By the first byte of the SHA-256 of both texts with a line break between them: even tunes,
    /// odd reports.
    pub fn half(&self) -> Half {
        let digest = Sha256::digest(format!("{}\n{}", self.stored, self.asked).as_bytes());
        if digest[0] % 2 == 0 { Half::Tuning } else { Half::Reporting }
    }
}

/// What a set of rules makes of pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Of the pairs that share an answer.
    pub recall: Share,
    /// Of the pairs that do not.
    pub traps: Share,
}

impl Served {
    /// Share of what is served that may be.
    pub fn precision(self) -> Share {
        Share { part: self.recall.part, whole: self.recall.part + self.traps.part }
    }

    fn count(&mut self, pair: &Pair, served: bool) {
        if pair.same { self.recall.count(served) } else { self.traps.count(served) }
    }
}

/// By cosine alone.
pub fn plain<'a>(pairs: impl Iterator<Item = &'a Pair>, vectors: &Vectors, threshold: f32) -> Served {
    let mut served = Served::default();
    pairs.for_each(|pair| served.count(pair, vectors.cosine(&pair.stored, &pair.asked) >= threshold));
    served
}

/// By the rules of the cache, each stored question being alone in it.
pub fn guarded<'a>(pairs: impl Iterator<Item = &'a Pair>, vectors: &Vectors, rules: &Rules) -> Served {
    let mut served = Served::default();
    pairs.for_each(|pair| served.count(pair, reason(pair, vectors, rules) == Verdict::Served.name()));
    served
}

/// The name of the verdict, or of the reason why the cache is passed by.
pub fn reason(pair: &Pair, vectors: &Vectors, rules: &Rules) -> &'static str {
    if let Some(reason) = bypass(&pair.stored).or_else(|| bypass(&pair.asked)) {
        return reason.name();
    }
    judge(&pair.asked, &[candidate(&pair.stored, &pair.asked, vectors)], rules).verdict.name()
}

/// What is served where all stored questions lie in one cache, and how many pairs are served the
/// answer to the stored question of another pair.
pub fn together(pairs: &[Pair], vectors: &Vectors, rules: &Rules) -> (Served, usize) {
    let stored: BTreeSet<&str> =
        pairs.iter().map(|pair| pair.stored.as_str()).filter(|text| bypass(text).is_none()).collect();
    let (mut served, mut strangers) = (Served::default(), 0);
    for pair in pairs {
        let mut near: Vec<Candidate> =
            stored.iter().map(|stored| candidate(stored, &pair.asked, vectors)).collect();
        near.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
        near.truncate(rules.neighbours);
        let key = judge(&pair.asked, &near, rules).key.filter(|_| bypass(&pair.asked).is_none());
        let own = key.as_ref().is_some_and(|key| *key == CacheKey::of_bytes(pair.stored.as_bytes()));
        served.count(pair, own);
        strangers += usize::from(key.is_some() && !own);
    }
    (served, strangers)
}

/// Every stored question has an answer of its own.
fn candidate(stored: &str, asked: &str, vectors: &Vectors) -> Candidate {
    let answer = AnswerMark { digest: stored.to_owned(), ..AnswerMark::default() };
    Candidate {
        key: CacheKey::of_bytes(stored.as_bytes()),
        similarity: vectors.cosine(stored, asked),
        question: stored.to_owned(),
        answer,
    }
}
