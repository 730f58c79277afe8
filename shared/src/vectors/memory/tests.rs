use proptest::prelude::*;

use super::*;

const DIMENSIONS: usize = 24;

fn record(partition: &str, id: usize, vector: Vec<f32>) -> VectorRecord {
    VectorRecord {
        partition: partition.to_owned(),
        id: id.to_string(),
        vector,
        expires: Timestamp::from_millis(1_000),
        payload: format!("payload {id}"),
    }
}

fn unit(components: Vec<f32>) -> Vec<f32> {
    let length = components.iter().map(|component| component * component).sum::<f32>().sqrt();
    components.into_iter().map(|component| component / length).collect()
}

fn vector() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-1.0_f32..1.0, DIMENSIONS)
        .prop_filter("a direction", |components| components.iter().any(|component| component.abs() > 0.01))
        .prop_map(unit)
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let sum: f64 = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    crate::ports::vector_rules::cosine(sum)
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn store(room: usize) -> MemoryVectors {
    let store = MemoryVectors::with_room(room);
    now(store.set_up(DIMENSIONS)).unwrap();
    store
}

proptest! {
    #[test]
    fn the_nearest_are_those_of_a_scan_of_the_vectors_themselves(
        vectors in prop::collection::vec(vector(), 0..120),
        near in prop::collection::vec((any::<prop::sample::Index>(), 0.0_f32..0.02), 0..40),
        asked in vector(),
        most in 0_usize..12,
    ) {
        let mut vectors = vectors;
        // Crowds that bytes cannot tell apart.
        for (of, by) in near {
            if !vectors.is_empty() {
                let mut copy = of.get(&vectors).clone();
                copy[0] += by;
                vectors.push(unit(copy));
            }
        }
        let store = store(BYTES_MAX);
        let records: Vec<_> = vectors.iter().cloned().enumerate().map(|(id, vector)| record("p", id, vector)).collect();
        now(store.upsert(&records)).unwrap();
        let found = now(store.nearest("p", &asked, most)).unwrap();
        let mut expected: Vec<f32> = vectors.iter().map(|vector| cosine(vector, &asked)).collect();
        expected.sort_by(|a, b| b.total_cmp(a));
        expected.truncate(most);
        prop_assert_eq!(found.iter().map(|found| found.similarity).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_written_last_stands_in_whatever_order(
        steps in prop::collection::vec((0..3_usize, 0..6_usize, vector(), prop::bool::weighted(0.3)), 1..60),
    ) {
        let store = store(BYTES_MAX);
        let mut standing = BTreeMap::new();
        for (partition, id, vector, removed) in steps {
            let partition = partition.to_string();
            if removed {
                now(store.remove(&partition, &[&id.to_string()])).unwrap();
                standing.remove(&(partition, id));
            } else {
                now(store.upsert(&[record(&partition, id, vector.clone())])).unwrap();
                standing.insert((partition, id), vector);
            }
        }
        for ((partition, id), vector) in &standing {
            let found = now(store.nearest(partition, vector, 10)).unwrap();
            let own = found.iter().find(|found| found.id == id.to_string()).unwrap();
            prop_assert!(own.similarity > 0.999_99, "{}", own.similarity);
            let others = standing.keys().filter(|(other, _)| other == partition).count();
            prop_assert_eq!(found.len(), others);
        }
        now(store.sweep(Timestamp::from_millis(1_001))).unwrap();
        let index = store.read();
        prop_assert_eq!((index.bytes, index.ages.len(), index.partitions.len()), (0, 0, 0));
    }
}

#[test]
fn the_oldest_make_room() {
    let vector = unit(vec![1.0; DIMENSIONS]);
    let size = store(0);
    now(size.upsert(&[record("p", 0, vector.clone())])).unwrap();
    assert_eq!(now(size.nearest("p", &vector, 1)), Ok(Vec::new()), "there is no room at all");
    let one = Row { id: "0".into(), expires: Timestamp::from_millis(0), payload: "payload 0".into(), age: 0 };
    let store = store(3 * one.bytes(DIMENSIONS));
    for id in [0, 1, 2, 0, 3] {
        let partition = if id == 2 { "q" } else { "p" };
        now(store.upsert(&[record(partition, id, vector.clone())])).unwrap();
    }
    let ids = |partition| {
        let found = now(store.nearest(partition, &vector, 9)).unwrap();
        found.into_iter().map(|found| found.id).collect::<Vec<_>>()
    };
    // The first was written again, so the second was the oldest.
    assert_eq!((ids("p"), ids("q")), (vec!["0".to_owned(), "3".to_owned()], vec!["2".to_owned()]));
}

#[test]
fn what_cannot_be_compared_is_refused_and_nothing_of_its_batch_is_kept() {
    let store = store(BYTES_MAX);
    let (good, mut bad) = (unit(vec![1.0; DIMENSIONS]), unit(vec![1.0; DIMENSIONS]));
    bad[3] = f32::NAN;
    assert!(now(store.upsert(&[record("p", 0, good.clone()), record("p", 1, bad.clone())])).is_err());
    assert_eq!(now(store.nearest("p", &good, 8)), Ok(Vec::new()));
    assert!(now(store.nearest("p", &bad, 8)).is_err());
    let zero = vec![0.0; DIMENSIONS];
    now(store.upsert(&[record("p", 2, zero.clone())])).unwrap();
    assert_eq!(now(store.nearest("p", &zero, 8)).unwrap()[0].similarity, 0.0);
}
