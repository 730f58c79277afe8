//! The outbox of alerts, and the mark of a first refusal.

use shared::domain::alert::{About, Alert, AlertId, AlertPlace, Entry, Severity, Telling};
use shared::domain::counter::{CounterKey, ScopeKind, WindowForm};
use shared::domain::time::{Period, Timestamp};
use shared::ports::{AlertPage, AlertQuery};
use std::time::Duration;

use super::samples::{NOW, held, id, reserve};
use super::stores::Stores;

on_every_store!(
    an_alert_is_raised_once_and_the_first_stays,
    the_latest_are_listed_newest_first,
    an_entry_is_changed_by_compare_and_swap,
    what_is_done_is_open_no_more,
    the_first_refusal_is_noted_and_stays,
    counters_in_use_are_those_with_holds_or_recent_spending,
);

fn alert(n: u64) -> Alert {
    let at = NOW + Duration::from_secs(n);
    let about = About::Sweeps { estimated: n, failed: 0 };
    Alert {
        id: AlertId::of(&["sweeps", &n.to_string()]),
        at,
        severity: Severity::Warning,
        tenant: None,
        about,
    }
}

async fn raised(stores: &Stores, n: u64) -> Alert {
    let alert = alert(n);
    assert_eq!(stores.outbox.raise(&alert).await, Ok(true));
    alert
}

async fn an_alert_is_raised_once_and_the_first_stays(stores: &Stores) {
    let first = raised(stores, 1).await;
    let later = Alert { at: NOW + Duration::from_secs(60), severity: Severity::Critical, ..first.clone() };
    assert_eq!(stores.outbox.raise(&later).await, Ok(false));
    assert_eq!(stores.outbox.find_alert(&first.id).await, Ok(Some(Entry::new(first.clone()))));
    let all = AlertQuery { since: Timestamp::default(), before: None, most: 10 };
    let page = AlertPage { entries: vec![Entry::new(first)], next: None };
    assert_eq!(stores.outbox.latest(&all).await, Ok(page));
    assert_eq!(stores.outbox.find_alert(&AlertId::of(&["none"])).await, Ok(None));
}

async fn the_latest_are_listed_newest_first(stores: &Stores) {
    for n in [3, 1, 2, 5, 4] {
        raised(stores, n).await;
    }
    let latest = async |since, before: Option<AlertPlace>, most| {
        let asked = AlertQuery { since: NOW + Duration::from_secs(since), before, most };
        let page = stores.outbox.latest(&asked).await.expect("listed");
        (page.entries.into_iter().map(|entry| entry.alert).collect::<Vec<Alert>>(), page.next)
    };
    let place = |n| Some(alert(n).place());
    assert_eq!(latest(0, None, 3).await, (vec![alert(5), alert(4), alert(3)], place(3)));
    assert_eq!(latest(0, place(3), 1).await, (vec![alert(2)], place(2)));
    assert_eq!(latest(0, place(2), 1).await, (vec![alert(1)], None));
    assert_eq!(latest(0, place(1), 1).await, (vec![], None));
    assert_eq!(latest(4, None, 10).await, (vec![alert(5), alert(4)], None));
    assert_eq!(latest(4, place(4), 10).await, (vec![], None));
    assert_eq!(latest(4, place(2), 10).await, (vec![], None), "before the first moment");
    assert_eq!(latest(6, None, 10).await, (vec![], None));
    assert_eq!(latest(0, None, 5).await.1, None, "all of them are no piece");
}

async fn an_entry_is_changed_by_compare_and_swap(stores: &Stores) {
    let alert = raised(stores, 1).await;
    let mut entry = Entry::new(alert.clone());
    entry.claim("slack", NOW);
    entry.note("slack", Telling::Raised, &Ok(()), NOW);
    assert_eq!(stores.outbox.swap_alert(&entry).await, Ok(true));
    assert_eq!(stores.outbox.swap_alert(&entry).await, Ok(false), "it has another version now");
    let standing = stores.outbox.find_alert(&alert.id).await.expect("readable").expect("an alert");
    assert_eq!(standing, Entry { version: 1, ..entry });
    let unknown = Entry::new(self::alert(2));
    assert_eq!(stores.outbox.swap_alert(&unknown).await, Ok(false), "nobody raised it");
}

async fn what_is_done_is_open_no_more(stores: &Stores) {
    let (first, second) = (raised(stores, 1).await, raised(stores, 2).await);
    let open = async || stores.outbox.open_alerts(NOW).await.expect("listed");
    assert_eq!(open().await, [first.clone(), second.clone()].map(Entry::new));
    let done = Entry { done: true, cleared_at: Some(NOW), ..Entry::new(first.clone()) };
    assert_eq!(stores.outbox.swap_alert(&done).await, Ok(true));
    assert_eq!(open().await, [Entry::new(second)]);
    assert_eq!(stores.outbox.raise(&first).await, Ok(false), "it is not told again");
    assert_eq!(open().await.len(), 1);
    let all = AlertQuery { since: NOW, before: None, most: 10 };
    assert_eq!(stores.outbox.latest(&all).await.expect("listed").entries.len(), 2);
}

async fn the_first_refusal_is_noted_and_stays(stores: &Stores) {
    let write = reserve(1, 300, WindowForm::Create);
    assert_eq!(stores.refusals.note_refusal(&write.key, NOW).await, Ok(()), "there is nothing to note it on");
    assert_eq!(stores.counters.read(&write.key).await, Ok(None));
    let before = held(stores, &write).await;
    for at in [NOW, NOW + Duration::from_secs(1)] {
        assert_eq!(stores.refusals.note_refusal(&write.key, at).await, Ok(()));
    }
    let counter = stores.counters.read(&write.key).await.expect("readable").expect("a counter");
    assert_eq!(counter, shared::domain::counter::Counter { refused_at: Some(NOW), ..before });
    let fenced = CounterKey::new(ScopeKind::Token, "fenced", Period::Total, NOW);
    assert_eq!(stores.counters.fence(&fenced, id(9)).await, Ok(true));
    assert_eq!(stores.refusals.note_refusal(&fenced, NOW).await, Ok(()));
    let counter = stores.counters.read(&fenced).await.expect("readable").expect("a counter");
    assert_eq!(counter.refused_at, None, "it has no cap yet");
}

async fn counters_in_use_are_those_with_holds_or_recent_spending(stores: &Stores) {
    let day = |at: Timestamp, n: u32| CounterKey::new(ScopeKind::Key, &format!("key-{n}"), Period::Day, at);
    let ago = |days: u64| NOW - Duration::from_secs(86_400 * days);
    let spent = async |key: CounterKey, n: u32, billed: i64| {
        let write =
            shared::domain::counter::Reserve { key: key.clone(), ..reserve(n, 300, WindowForm::Create) };
        held(stores, &write).await;
        let close = shared::domain::counter::Close { key: key.clone(), ..super::samples::close(n, billed) };
        stores.counters.close(&close).await.expect("closed");
        key
    };
    let mut expected = vec![spent(day(NOW, 1), 1, 5).await, spent(day(ago(1), 2), 2, 5).await];
    spent(day(ago(2), 3), 3, 5).await;
    spent(day(NOW, 4), 4, 0).await;
    let refused = spent(day(NOW, 5), 5, 0).await;
    stores.refusals.note_refusal(&refused, NOW).await.expect("noted");
    let old = day(ago(9), 6);
    held(
        stores,
        &shared::domain::counter::Reserve { key: old.clone(), ..reserve(6, 300, WindowForm::Create) },
    )
    .await;
    expected.extend([refused, old]);
    let (mut listed, mut mark) = (Vec::new(), None);
    loop {
        let page = stores.counters_in_use.in_use(NOW, mark.as_ref()).await.expect("listed");
        listed.extend(page.counters.into_iter().map(|(key, _)| key));
        mark = page.next;
        if mark.is_none() {
            break;
        }
    }
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
}
