//! Indexes: made once, found afterwards, and missed by name.

use shared::ports::StoreError;

use super::records::{DIMENSIONS, axis, record};
use super::stores::Tested;

on_every_vector_store!(an_index_is_made_once, a_search_without_an_index_says_which_is_missing);

async fn an_index_is_made_once(tested: &Tested) {
    assert_eq!(tested.store.set_up(DIMENSIONS).await, Ok(!tested.has_index));
    tested.upsert(&[record("kept", "a", &axis(0))]).await;
    assert_eq!(tested.store.set_up(DIMENSIONS).await, Ok(false));
    tested.settles("kept", &axis(0), 1).await;
    match tested.store.set_up(DIMENSIONS * 2).await {
        Err(StoreError::Rejected(why)) => assert!(why.contains("384") && why.contains("768"), "{why}"),
        other => panic!("an index of another size was taken for the same: {other:?}"),
    }
}

async fn a_search_without_an_index_says_which_is_missing(tested: &Tested) {
    match tested.bare.nearest("nobody", &axis(0), 8).await {
        Err(StoreError::Rejected(why)) => assert!(why.contains(&tested.index), "{why}"),
        other => panic!("no index, and yet: {other:?}"),
    }
}

#[tokio::test]
async fn an_index_of_dynamodb_that_still_fills_finds_nothing() {
    let tested = super::stores::embedded().await.expect("a database in memory");
    // This table was made without the index, so it is added to a table with items.
    tested.bare.upsert(&[record("young", "a", &axis(0))]).await.expect("written");
    assert_eq!(tested.bare.set_up(DIMENSIONS).await, Ok(true));
    assert_eq!(tested.bare.nearest("young", &axis(0), 8).await, Ok(Vec::new()));
}
