//! What goes: removed, or expired and swept.

use std::time::Duration;

use shared::ports::VectorRecord;

use super::records::{axis, ids, now, record};
use super::stores::Tested;

on_every_vector_store!(what_is_removed_is_gone_and_nothing_else, a_sweep_takes_what_expired_and_nothing_else,);

async fn what_is_removed_is_gone_and_nothing_else(tested: &Tested) {
    tested.set_up().await;
    let all = [record("one", "a", &axis(0)), record("one", "b", &axis(1)), record("two", "a", &axis(0))];
    tested.upsert(&all).await;
    tested.settles("one", &axis(0), 2).await;
    tested.store.remove("one", &["a", "never there"]).await.expect("removed");
    tested.store.remove("nowhere", &["a"]).await.expect("nothing to remove");
    tested.store.remove("one", &[]).await.expect("nothing asked");
    tested.sees("one", &axis(0), 10, |found| ids(found) == ["b"]).await;
    tested.sees("two", &axis(0), 10, |found| ids(found) == ["a"]).await;
    tested.upsert(&all[..1]).await;
    tested.sees("one", &axis(0), 10, |found| ids(found) == ["a", "b"]).await;
}

async fn a_sweep_takes_what_expired_and_nothing_else(tested: &Tested) {
    tested.set_up().await;
    let soon = now() + Duration::from_millis(1500);
    let dying = VectorRecord { expires: soon, ..record("sweep", "dying", &axis(0)) };
    tested.upsert(&[dying, record("sweep", "living", &axis(1))]).await;
    tested.store.sweep(now()).await.expect("swept");
    tokio::time::sleep(Duration::from_millis(1600)).await;
    tested.store.sweep(now()).await.expect("swept");
    let gone = |found: &[shared::ports::Neighbour]| match tested.sweeps {
        true => ids(found) == ["living"],
        // Its time is told, so that the finder drops it.
        false => found.iter().all(|neighbour| neighbour.id == "living" || neighbour.expires == soon),
    };
    let found = tested.sees("sweep", &axis(1), 10, gone).await;
    assert_eq!(found[0].id, "living");
}
