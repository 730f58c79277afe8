//! The copy of the marks that an instance uses: how old it may be, and who asks for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use serde_json::json;
use shared::app::warm_marks::WarmMarks;
use shared::domain::cache::{Mark, Marks, Selector, Served};
use shared::domain::time::Timestamp;
use shared::ports::{CacheMarks, Clock, StoreError};
use tests::{Ports, Set, Setup};
use tokio::time::sleep;

use super::{ASKED, ask, body};

/// Counts its reads, which take a while; or cannot be read at all.
#[derive(Default)]
struct Counting {
    reads: AtomicU32,
    is_down: bool,
}

#[async_trait]
impl CacheMarks for Counting {
    async fn read_marks(&self) -> Result<Marks, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        sleep(Duration::from_millis(10)).await;
        match self.is_down {
            true => Err(StoreError::NoReply("down".to_owned())),
            false => Ok(Marks::default()),
        }
    }

    async fn mark(&self, _: &Mark, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    async fn note_served(&self, _: &Served) -> Result<(), StoreError> {
        Ok(())
    }
}

fn copy() -> (Arc<Counting>, Arc<Set>, WarmMarks) {
    let store = Arc::new(Counting::default());
    let clock = Arc::new(Set::at(Timestamp::from_millis(1_800_000_000_000)));
    (store.clone(), clock.clone(), WarmMarks::new(store, clock))
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_used_for_nine_tenths_of_a_second_and_asked_for_once() {
    let (store, clock, marks) = copy();
    let reads = || store.reads.load(Ordering::SeqCst);
    for read in join_all((0..50).map(|_| marks.read())).await {
        read.expect("readable");
    }
    assert_eq!(reads(), 1, "fifty asked at once");
    clock.forward(Duration::from_millis(899));
    marks.read().await.expect("readable");
    assert_eq!(reads(), 1);
    clock.forward(Duration::from_millis(1));
    marks.read().await.expect("readable");
    assert_eq!(reads(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_instance_sees_its_own_marks_at_once() {
    let (store, clock, marks) = copy();
    marks.read().await.expect("readable");
    let mark = Mark { tenant: "acme".to_owned(), selector: Selector::Tenant, at: clock.now() };
    marks.mark(&mark, clock.now()).await.expect("marked");
    marks.read().await.expect("readable");
    assert_eq!(store.reads.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn where_marks_cannot_be_read_nothing_is_given() {
    let mut setup = Setup::new(json!({}));
    let down = Arc::new(Counting { is_down: true, ..Counting::default() });
    setup.ports = Some(Ports { marks: down, ..Ports::of(&setup.store) });
    let gateway = setup.start().await;
    let user = gateway.user(json!({})).await;
    for _ in 0..2 {
        assert_eq!(ask(&gateway, &user, &[], &body(ASKED)).await.header("x-tollgate-cache"), "miss");
    }
}
