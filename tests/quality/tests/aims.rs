//! A rule that serves more of what it must not, or less of what it may, fails here.

use quality::pairs::{Half, Pair, guarded};
use quality::sets;
use quality::vectors::Vectors;
use shared::domain::verdict::Rules;

/// The pairs of one half; none where set-up has not fetched them or the weights.
fn pairs(half: Half) -> Option<(Vec<Pair>, Vectors)> {
    if !sets::tools().join("labelled").exists() {
        eprintln!("skipped: no labelled pairs; tests/tools/setup.py embedder labelled fetches them");
        return None;
    }
    let pairs = sets::pairs().expect("what set-up fetched can be read");
    let pairs: Vec<Pair> = pairs.into_iter().filter(|pair| pair.half() == half).collect();
    let mut vectors = Vectors::default();
    let texts = pairs.iter().flat_map(|pair| [pair.stored.as_str(), pair.asked.as_str()]);
    vectors.add_questions(texts).expect("what set-up fetched embeds texts");
    Some((pairs, vectors))
}

#[test]
fn safe_serves_few_traps_and_enough_of_what_it_may() {
    let Some((pairs, vectors)) = pairs(Half::Reporting) else { return };
    let served = guarded(pairs.iter(), &vectors, &Rules::SAFE);
    assert!(served.traps.percent() <= 5.0, "traps served: {}", served.traps);
    assert!(served.recall.percent() >= 38.0, "recall: {}", served.recall);
}
