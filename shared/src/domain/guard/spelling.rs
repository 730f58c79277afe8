//! Whether one word is the other, mistyped.

/// Letters of the shortest word in which a slip is told from another word.
const SHORTEST: usize = 5;
const LONGEST: usize = 24;

/// At most one letter is left out, added, changed or exchanged with its neighbour, and the first
/// is the same; in words of nine letters and more, two.
pub(super) fn misspelt(one: &str, other: &str) -> bool {
    let letters = |word: &str| word.chars().collect::<Vec<_>>();
    if one.len() > LONGEST * 4 || other.len() > LONGEST * 4 {
        return false;
    }
    let (one, other) = (letters(one), letters(other));
    let (short, long) = (one.len().min(other.len()), one.len().max(other.len()));
    if short < SHORTEST || long > LONGEST || one[0] != other[0] || long - short > 2 {
        return false;
    }
    if !one.iter().chain(&other).all(|letter| letter.is_alphabetic()) {
        return false;
    }
    distance(&one, &other) <= if short >= 9 { 2 } else { 1 }
}

/// Damerau's distance, exchanged neighbours counting once.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut cost = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}
