//! Reserves and closes.

use futures_util::future::join_all;
use shared::domain::counter::{RateLimits, Reserve, WindowForm};
use shared::ports::ReserveReply;

use super::samples::{CAP, NOW, books, close, counter, counter_key, held, id, nano, refused, reserve};
use super::stores::Stores;

on_every_store!(
    two_hundred_concurrent_reserves_admit_exactly_what_fits,
    a_refusal_returns_the_counter_as_it_stood,
    a_counter_is_created_once_continued_and_rolled_over,
    rates_are_refused_by_the_same_write_as_money,
    a_hit_is_admitted_by_rates_alone,
    a_close_gives_back_the_difference_once,
    a_close_in_another_minute_leaves_the_tokens_alone,
    fifty_concurrent_closes_give_back_once,
);

/// Reserves as the use case does: the next form under a fresh id after every definite refusal.
async fn admitted(stores: &Stores, n: u32, amount: i64) -> bool {
    let mut form = WindowForm::Same;
    for attempt in 0..10 {
        let write = reserve(n * 100 + attempt, amount, form);
        match stores.counters.reserve(&write).await.expect("a definite answer") {
            ReserveReply::Held(_) => return true,
            ReserveReply::Refused(None) => form = WindowForm::Create,
            ReserveReply::Refused(Some(old)) if old.remaining < write.amount() => return false,
            ReserveReply::Refused(Some(_)) => form = WindowForm::Same,
        }
    }
    panic!("reserve {n} never came to an end");
}

async fn two_hundred_concurrent_reserves_admit_exactly_what_fits(stores: &Stores) {
    let amount = 30;
    let outcomes = join_all((1..=200).map(|n| admitted(stores, n, amount))).await;
    let fits = CAP / amount;
    let count = outcomes.into_iter().filter(|admitted| *admitted).count();
    assert_eq!(i64::try_from(count), Ok(fits));
    let counter = counter(stores).await;
    assert_eq!(books(&counter), (0, fits * amount, CAP - fits * amount));
    assert_eq!((counter.requests, counter.tokens, counter.live.len()), (fits, fits * 10, count));
}

async fn a_refusal_returns_the_counter_as_it_stood(stores: &Stores) {
    assert_eq!(refused(stores, &reserve(1, 1, WindowForm::Same)).await, None);
    let standing = held(stores, &reserve(2, 600, WindowForm::Create)).await;
    assert_eq!(refused(stores, &reserve(3, 401, WindowForm::Same)).await, Some(standing.clone()));
    assert_eq!(refused(stores, &reserve(2, 1, WindowForm::Same)).await, Some(standing.clone()));
    assert_eq!(refused(stores, &reserve(4, CAP + 1, WindowForm::Create)).await, Some(standing.clone()));
    assert_eq!(counter(stores).await, standing);
}

async fn a_counter_is_created_once_continued_and_rolled_over(stores: &Stores) {
    assert_eq!(refused(stores, &reserve(1, CAP + 1, WindowForm::Create)).await, None);
    let created = held(stores, &reserve(1, 100, WindowForm::Create)).await;
    assert_eq!((books(&created), created.window), ((0, 100, 900), NOW.minute()));
    assert_eq!(refused(stores, &reserve(2, 100, WindowForm::Create)).await, Some(created));
    let same = held(stores, &reserve(2, 100, WindowForm::Same)).await;
    assert_eq!((books(&same), same.requests, same.tokens), ((0, 200, 800), 2, 20));
    let next_minute = |n, form| Reserve { window: NOW.minute() + 1, ..reserve(n, 100, form) };
    let roll = |from| WindowForm::Roll { from };
    assert!(refused(stores, &next_minute(3, WindowForm::Same)).await.is_some());
    assert!(refused(stores, &next_minute(3, roll(NOW.minute() - 1))).await.is_some());
    let rolled = held(stores, &next_minute(3, roll(NOW.minute()))).await;
    assert_eq!((books(&rolled), rolled.requests, rolled.tokens), ((0, 300, 700), 1, 10));
    assert_eq!(rolled.window, NOW.minute() + 1);
}

async fn rates_are_refused_by_the_same_write_as_money(stores: &Stores) {
    let limited = |n, form, requests, tokens| Reserve {
        limits: RateLimits { requests: Some(requests), tokens: Some(tokens), ..RateLimits::default() },
        ..reserve(n, 1, form)
    };
    assert_eq!(refused(stores, &limited(1, WindowForm::Create, 0, 99)).await, None);
    assert_eq!(refused(stores, &limited(1, WindowForm::Create, 9, 9)).await, None);
    held(stores, &limited(1, WindowForm::Create, 2, 99)).await;
    held(stores, &limited(2, WindowForm::Same, 2, 99)).await;
    let full = refused(stores, &limited(3, WindowForm::Same, 2, 99)).await;
    assert_eq!(full.map(|counter| (counter.requests, counter.remaining)), Some((2, nano(CAP - 2))));
    assert!(refused(stores, &limited(3, WindowForm::Same, 9, 29)).await.is_some());
    held(stores, &limited(3, WindowForm::Same, 9, 30)).await;
    let roll = WindowForm::Roll { from: NOW.minute() };
    assert!(refused(stores, &limited(4, roll, 0, 99)).await.is_some());
    assert!(refused(stores, &limited(4, roll, 9, 9)).await.is_some());
}

async fn a_hit_is_admitted_by_rates_alone(stores: &Stores) {
    let hit = |n, form| Reserve {
        hold: None,
        tokens: 0,
        limits: RateLimits { requests: Some(3), tokens: None, ..RateLimits::default() },
        ..reserve(n, 0, form)
    };
    held(stores, &hit(1, WindowForm::Create)).await;
    held(stores, &reserve(2, CAP, WindowForm::Same)).await;
    let counter = held(stores, &hit(3, WindowForm::Same)).await;
    assert_eq!((books(&counter), counter.requests, counter.live.len()), ((0, CAP, 0), 3, 1));
    assert!(refused(stores, &hit(4, WindowForm::Same)).await.is_some());
}

async fn a_close_gives_back_the_difference_once(stores: &Stores) {
    stores.counters.close(&close(1, 5)).await.expect("closing what never was");
    held(stores, &reserve(1, 300, WindowForm::Create)).await;
    held(stores, &reserve(2, 300, WindowForm::Same)).await;
    for closer in [stores, stores, &stores.elsewhere()] {
        closer.counters.close(&close(1, 120)).await.expect("closed, or closed before");
        let counter = counter(stores).await;
        assert_eq!((books(&counter), counter.tokens), ((120, 300, 580), 14));
    }
    let other = stores.elsewhere();
    other.counters.close(&close(2, 300)).await.expect("closed by an instance that did not enter it");
    let counter = counter(stores).await;
    assert_eq!((books(&counter), counter.tokens), ((420, 0, 580), 8));
}

async fn a_close_in_another_minute_leaves_the_tokens_alone(stores: &Stores) {
    held(stores, &reserve(1, 300, WindowForm::Create)).await;
    let roll = WindowForm::Roll { from: NOW.minute() };
    held(stores, &Reserve { window: NOW.minute() + 1, ..reserve(2, 300, roll) }).await;
    stores.counters.close(&close(1, 100)).await.expect("closed");
    let counter = counter(stores).await;
    assert_eq!((books(&counter), counter.tokens), ((100, 300, 600), 10));
    assert_eq!(counter.live.keys().collect::<Vec<_>>(), [&id(2)]);
}

async fn fifty_concurrent_closes_give_back_once(stores: &Stores) {
    held(stores, &reserve(1, 300, WindowForm::Create)).await;
    let instances = [stores.elsewhere(), stores.elsewhere()];
    let write = close(1, 100);
    let closes = (0..50).map(|n| instances[n % 2].counters.close(&write));
    for closed in join_all(closes).await {
        closed.expect("closed, or closed before");
    }
    let counter = stores.counters.read(&counter_key()).await.expect("readable").expect("a counter");
    assert_eq!((books(&counter), counter.tokens), ((100, 0, 900), 4));
}
