//! Fences: ids that may not enter a counter any more.

use futures_util::future::join_all;
use shared::domain::counter::WindowForm;
use shared::ports::ReserveReply;

use super::samples::{books, close, counter, counter_key, held, id, refused, reserve};
use super::stores::Stores;

on_every_store!(
    an_id_at_or_below_the_floor_is_fenced,
    a_hold_that_is_there_is_not_fenced,
    a_floor_never_sinks,
    a_counter_is_fenced_before_it_is_created,
    a_fence_and_its_reserve_never_both_succeed,
);

async fn fence(stores: &Stores, n: u32) -> bool {
    stores.counters.fence(&counter_key(), id(n)).await.expect("a definite answer")
}

async fn an_id_at_or_below_the_floor_is_fenced(stores: &Stores) {
    held(stores, &reserve(1, 100, WindowForm::Create)).await;
    for instance in [stores, stores, &stores.elsewhere()] {
        assert!(fence(instance, 5).await, "again and again");
    }
    for fenced in [4, 5] {
        let old = refused(stores, &reserve(fenced, 1, WindowForm::Same)).await.expect("a counter");
        assert_eq!((old.floor, books(&old)), (Some(id(5)), (0, 100, 900)));
    }
    held(stores, &reserve(6, 1, WindowForm::Same)).await;
    stores.counters.close(&close(1, 0)).await.expect("what is live below the floor may still close");
    assert_eq!(books(&counter(stores).await), (0, 1, 999));
}

async fn a_hold_that_is_there_is_not_fenced(stores: &Stores) {
    let standing = held(stores, &reserve(3, 100, WindowForm::Create)).await;
    assert!(!fence(stores, 3).await);
    assert_eq!(counter(stores).await, standing);
    assert!(fence(stores, 5).await);
    assert!(!fence(stores, 3).await, "live under a floor that is high enough");
    stores.counters.close(&close(3, 0)).await.expect("closed");
    assert!(fence(stores, 3).await);
}

async fn a_floor_never_sinks(stores: &Stores) {
    held(stores, &reserve(1, 100, WindowForm::Create)).await;
    for n in [5, 2, 7, 6] {
        assert!(fence(stores, n).await);
    }
    assert_eq!(counter(stores).await.floor, Some(id(7)));
}

async fn a_counter_is_fenced_before_it_is_created(stores: &Stores) {
    for instance in [stores, &stores.elsewhere()] {
        assert!(fence(instance, 5).await);
    }
    let fenced = counter(stores).await;
    assert!(fenced.is_unopened());
    for form in [WindowForm::Create, WindowForm::Same] {
        assert_eq!(refused(stores, &reserve(5, 100, form)).await.as_ref(), Some(&fenced));
    }
    assert_eq!(refused(stores, &reserve(6, 0, WindowForm::Same)).await.as_ref(), Some(&fenced));
    let opened = held(stores, &reserve(6, 100, WindowForm::Create)).await;
    assert_eq!((books(&opened), opened.floor, opened.requests), ((0, 100, 900), Some(id(5)), 1));
    assert_eq!(refused(stores, &reserve(7, 100, WindowForm::Create)).await, Some(opened));
}

async fn a_fence_and_its_reserve_never_both_succeed(stores: &Stores) {
    held(stores, &reserve(1, 1, WindowForm::Create)).await;
    let other = stores.elsewhere();
    let races = (10..40).map(|n| {
        let other = &other;
        async move {
            let write = reserve(n, 1, WindowForm::Same);
            let (reply, fenced) = futures_util::join!(stores.counters.reserve(&write), fence(other, n));
            let entered = matches!(reply, Ok(ReserveReply::Held(_)));
            // An earlier id may be fenced by the race of a later one.
            assert!(!(entered && fenced), "{n} is in, and was told to be out");
            assert!(entered || fenced, "{n} is out, and was told to be in");
        }
    });
    join_all(races).await;
}
