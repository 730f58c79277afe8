//! Candidates vote for their answers, the nearer the louder.

use super::Judged;

/// Keeps a candidate at no distance from deciding alone.
const NEAREST: f32 = 0.03;
/// Cosine at which an answer that is not among the candidates is taken to be.
const UNSEEN: f32 = 0.6;

/// Whether the answer of the candidate at `at` has at least `times` the votes of any other. Where
/// its words are `same` as the question's, those that the guards tell from it have no vote.
pub(super) fn outweighs(judged: &[Judged], at: usize, same: bool, times: f32) -> bool {
    let answer = &judged[at].candidate.answer;
    let mut mine = 0.0;
    let mut others: Vec<(usize, f32)> = Vec::new();
    for (index, by) in judged.iter().enumerate() {
        let weight = weight(by.candidate.similarity);
        if by.candidate.answer.agrees(answer) {
            mine += weight;
        } else if !(same && by.veto.is_some()) {
            let alike = others
                .iter_mut()
                .find(|(known, _)| judged[*known].candidate.answer.agrees(&by.candidate.answer));
            match alike {
                Some((_, votes)) => *votes += weight,
                None => others.push((index, weight)),
            }
        }
    }
    let most = others.iter().map(|(_, votes)| *votes).fold(weight(UNSEEN), f32::max);
    mine >= times * most
}

/// Falls with the square of the distance.
fn weight(similarity: f32) -> f32 {
    let distance = (1.0 - similarity).max(0.0) + NEAREST;
    1.0 / (distance * distance)
}
