//! What a search finds, against a scan of all.

use fastrand::Rng;
use shared::ports::VectorRecord;

use super::records::{DIMENSIONS, axis, cosine, ids, near, random, record, truly_nearest};
use super::stores::Tested;

on_every_vector_store!(
    similarity_is_the_cosine,
    the_nearest_come_first,
    a_thousand_records_are_searched,
    a_vector_of_another_size_is_refused,
);

/// What a verdict may rest on: thresholds are given to two places.
const CLOSE: f64 = 1e-4;

async fn similarity_is_the_cosine(tested: &Tested) {
    tested.set_up().await;
    let opposite: Vec<f32> = axis(0).iter().map(|component| -component).collect();
    let mut half = axis(0);
    half[1] = 3.0_f32.sqrt();
    let half = super::records::unit(half);
    let records = [
        record("cosine", "same", &axis(0)),
        record("cosine", "half", &half),
        record("cosine", "across", &axis(2)),
        record("cosine", "opposite", &opposite),
    ];
    tested.upsert(&records).await;
    let found = tested.sees("cosine", &axis(0), 10, |found| found.len() == 4).await;
    assert_eq!(ids(&found), ["same", "half", "across", "opposite"]);
    for (neighbour, cosine) in found.iter().zip([1.0, 0.5, 0.0, -1.0]) {
        let similarity = f64::from(neighbour.similarity);
        assert!((similarity - cosine).abs() < CLOSE, "{}: {similarity}", neighbour.id);
        assert!((-1.0..=1.0).contains(&similarity), "{}: {similarity}", neighbour.id);
    }
}

/// Topics, each with texts around it; what questions to a cache look like.
fn topics(partition: &str, topics: usize, each: usize, rng: &mut Rng) -> Vec<VectorRecord> {
    let mut records = Vec::new();
    for topic in 0..topics {
        let centre = random(rng);
        for n in 0..each {
            records.push(record(partition, &format!("{topic}-{n}"), &near(&centre, 0.8, rng)));
        }
    }
    records
}

/// Searches for `questions` near stored records, and gives the share of the true nearest found.
async fn recall(tested: &Tested, records: &[VectorRecord], questions: usize, rng: &mut Rng) -> f64 {
    let partition = records[0].partition.as_str();
    let mut found_of_all = 0;
    for _ in 0..questions {
        let question = near(&records[rng.usize(..records.len())].vector, 0.3, rng);
        let found = tested.nearest(partition, &question, 8).await;
        assert_eq!(found.len(), 8);
        assert!(found.is_sorted_by(|a, b| a.similarity >= b.similarity), "nearest first");
        for neighbour in &found {
            let stored =
                records.iter().find(|record| record.id == neighbour.id).expect("one that was stored");
            let exact = cosine(&stored.vector, &question);
            assert!(
                (f64::from(neighbour.similarity) - exact).abs() < CLOSE,
                "{} for {exact}",
                neighbour.similarity
            );
        }
        let nearest = truly_nearest(records, &question, 8);
        found_of_all += found.iter().filter(|neighbour| nearest.contains(&neighbour.id)).count();
    }
    let hits = u32::try_from(found_of_all).map_or(0.0, f64::from);
    hits / u32::try_from(questions * 8).map_or(1.0, f64::from)
}

async fn the_nearest_come_first(tested: &Tested) {
    tested.set_up().await;
    let mut rng = Rng::with_seed(2);
    let (records, others) = (topics("nearest", 10, 9, &mut rng), topics("others", 10, 9, &mut rng));
    tested.upsert(&records).await;
    tested.upsert(&others).await;
    tested.settles("nearest", &records[0].vector, 90).await;
    let recall = recall(tested, &records, 25, &mut rng).await;
    assert!(recall >= tested.recall, "recall {recall}");
    assert_eq!(tested.nearest("nearest", &records[0].vector, 1).await.len(), 1);
}

async fn a_thousand_records_are_searched(tested: &Tested) {
    tested.set_up().await;
    let mut rng = Rng::with_seed(3);
    let records = topics("thousand", 50, 20, &mut rng);
    for batch in records.chunks(100) {
        tested.upsert(batch).await;
    }
    let last = records.last().expect("a record");
    tested.sees("thousand", &last.vector, 1, |found| ids(found) == [last.id.as_str()]).await;
    let recall = recall(tested, &records, 20, &mut rng).await;
    println!("recall of the 8 nearest among 1,000: {recall}");
    assert!(recall >= tested.recall, "recall {recall}");
}

async fn a_vector_of_another_size_is_refused(tested: &Tested) {
    tested.set_up().await;
    tested.upsert(&[record("size", "a", &axis(0))]).await;
    let found = tested.store.nearest("size", &axis(0)[..DIMENSIONS - 1], 8).await;
    assert!(found.is_err(), "{found:?}");
}
