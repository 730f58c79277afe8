//! Questions one after another, the cache empty at first and filled by what it does not serve.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use shared::domain::bypass::bypass;
use shared::domain::cache::CacheKey;
use shared::domain::verdict::{AnswerMark, Candidate, Rules, judge};

use crate::sets::Question;
use crate::share::Share;
use crate::vectors::{Vectors, dot};

#[derive(Clone, Debug)]
pub struct Asked {
    pub text: String,
    pub intent: String,
    /// What the provider would answer.
    pub answer: AnswerMark,
}

/// Brings questions into the order of SHA-256 over the seed, a line break and the text.
pub fn shuffle(questions: &mut [Question], seed: &str) {
    questions.sort_by_cached_key(|question| Sha256::digest(format!("{seed}\n{}", question.text).as_bytes()));
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Of all questions.
    pub hits: Share,
    /// Of the hits: the answer to another intent.
    pub wrong: Share,
}

/// How the nearest stored questions become a hit: the index of the one that is served.
type Choose<'a> = &'a dyn Fn(&Asked, &[(usize, f32)]) -> Option<usize>;

fn run(questions: &[Asked], vectors: &Vectors, neighbours: usize, by_rules: bool, choose: Choose) -> Outcome {
    let mut outcome = Outcome::default();
    let mut stored: Vec<(usize, &[f32])> = Vec::new();
    for (index, asked) in questions.iter().enumerate() {
        let vector = vectors.of(&asked.text);
        if by_rules && bypass(&asked.text).is_some() {
            outcome.hits.count(false);
            continue;
        }
        let near = nearest(&stored, vector, neighbours);
        let served = choose(asked, &near);
        outcome.hits.count(served.is_some());
        match served {
            Some(found) => outcome.wrong.count(questions[found].intent != asked.intent),
            None => stored.push((index, vector)),
        }
    }
    outcome
}

fn nearest(stored: &[(usize, &[f32])], vector: &[f32], count: usize) -> Vec<(usize, f32)> {
    let mut near: Vec<(usize, f32)> =
        stored.iter().map(|(index, other)| (*index, dot(vector, other))).collect();
    let nearer = |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1);
    if near.len() > count {
        near.select_nth_unstable_by(count, nearer);
        near.truncate(count);
    }
    near.sort_by(nearer);
    near
}

/// Serves the nearest from a cosine on.
pub fn plain(questions: &[Asked], vectors: &Vectors, threshold: f32) -> Outcome {
    run(questions, vectors, 1, false, &|_, near| {
        near.first().filter(|(_, cosine)| *cosine >= threshold).map(|(index, _)| *index)
    })
}

/// Serves by the rules of the cache, which see questions and answers but no intents.
pub fn guarded(questions: &[Asked], vectors: &Vectors, rules: &Rules) -> Outcome {
    run(questions, vectors, rules.neighbours, true, &|asked, near| {
        let keys: HashMap<CacheKey, usize> = near.iter().map(|(index, _)| (key(*index), *index)).collect();
        let candidates: Vec<Candidate> =
            near.iter().map(|(index, cosine)| candidate(questions, *index, *cosine)).collect();
        judge(&asked.text, &candidates, rules).key.and_then(|served| keys.get(&served).copied())
    })
}

fn key(index: usize) -> CacheKey {
    CacheKey::of_bytes(&index.to_be_bytes())
}

fn candidate(questions: &[Asked], index: usize, similarity: f32) -> Candidate {
    let stored = &questions[index];
    Candidate { key: key(index), similarity, question: stored.text.clone(), answer: stored.answer.clone() }
}
