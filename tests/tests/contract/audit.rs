//! The log of an admin's changes.

use std::time::Duration;

use serde_json::json;
use shared::domain::audit::{Action, AuditEntry, AuditId, Outcome, Recorded, Who};
use shared::domain::time::Timestamp;
use shared::ports::{AuditPage, AuditQuery, StoreError};

use super::samples::NOW;
use super::stores::Stores;

on_every_store!(
    an_entry_is_read_as_it_was_appended,
    an_entry_is_appended_once_and_concluded_once,
    entries_are_listed_newest_first_across_months,
    pages_follow_one_another_without_gap_or_repeat,
    one_subject_is_listed_alone,
);

fn entry(at: Timestamp, subject: &str) -> AuditEntry {
    AuditEntry {
        id: AuditId::new(at, 7),
        who: Who { key: "0123456789abcdef".to_owned(), actor: Some("Åsa".to_owned()), address: None },
        action: Action::SetBudget,
        subject: subject.to_owned(),
        before: None,
        after: Some(json!({ "budgets": [{ "capUsd": "1.5", "period": "day" }], "rpm": null })),
    }
}

fn all() -> AuditQuery {
    let before = AuditId::first_at(NOW + Duration::from_secs(1));
    AuditQuery { since: Timestamp::from_millis(0), before, subject: None, most: 100 }
}

fn days(count: u64) -> Timestamp {
    NOW - Duration::from_secs(count * 86_400)
}

async fn page(stores: &Stores, asked: &AuditQuery) -> AuditPage {
    stores.audit.page(asked).await.expect("a page")
}

fn ids(page: &AuditPage) -> Vec<AuditId> {
    page.entries.iter().map(|recorded| recorded.entry.id).collect()
}

async fn an_entry_is_read_as_it_was_appended(stores: &Stores) {
    let recent = AuditQuery { since: days(1), ..all() };
    assert_eq!(page(stores, &recent).await, AuditPage::default());
    let open = entry(NOW, "key/a");
    stores.audit.append(&open).await.expect("appended");
    let listed = page(stores, &recent).await;
    assert_eq!(listed.entries, [Recorded { entry: open.clone(), outcome: None }]);
    stores.audit.conclude(open.id, Outcome::Done).await.expect("concluded");
    let listed = page(stores, &recent).await;
    assert_eq!(listed.entries, [Recorded { entry: open, outcome: Some(Outcome::Done) }]);
    assert_eq!(listed.next, None);
}

async fn an_entry_is_appended_once_and_concluded_once(stores: &Stores) {
    let first = entry(NOW, "key/a");
    for _ in 0..2 {
        stores.audit.append(&first).await.expect("the same, sent twice");
    }
    let other = AuditEntry { subject: "key/b".to_owned(), ..first.clone() };
    let refused = stores.audit.append(&other).await;
    assert!(matches!(refused, Err(StoreError::Rejected(_))), "{refused:?}");
    for outcome in [Outcome::NotDone, Outcome::Done] {
        stores.audit.conclude(first.id, outcome).await.expect("concluded");
    }
    let listed = page(stores, &AuditQuery { since: days(1), ..all() }).await;
    assert_eq!(listed.entries, [Recorded { entry: first, outcome: Some(Outcome::NotDone) }]);
}

async fn entries_are_listed_newest_first_across_months(stores: &Stores) {
    let entries = [0, 20, 45, 80].map(|count| entry(days(count), "key/a"));
    for entry in &entries {
        stores.audit.append(entry).await.expect("appended");
    }
    let [newest, second, third, oldest] = entries.map(|entry| entry.id);
    let listed = async |asked: AuditQuery| ids(&page(stores, &asked).await);
    assert_eq!(listed(AuditQuery { since: days(400), ..all() }).await, [newest, second, third, oldest]);
    assert_eq!(listed(AuditQuery { since: days(45), ..all() }).await, [newest, second, third]);
    assert_eq!(listed(AuditQuery { since: days(44), ..all() }).await, [newest, second]);
    assert_eq!(listed(AuditQuery { since: days(400), before: second, ..all() }).await, [third, oldest]);
    assert!(
        listed(AuditQuery { before: AuditId::first_at(days(90)), since: days(80), ..all() }).await.is_empty()
    );
}

async fn pages_follow_one_another_without_gap_or_repeat(stores: &Stores) {
    let mut written = Vec::new();
    // Longer ago than one page looks back.
    for count in [0, 9, 18, 27, 36, 45, 1_200] {
        for id in [8, 7].map(|random| AuditId::new(days(count), random)) {
            let entry = AuditEntry { id, ..entry(NOW, "key/a") };
            stores.audit.append(&entry).await.expect("appended");
            stores.audit.conclude(id, Outcome::Done).await.expect("concluded");
            written.push(id);
        }
    }
    // Nothing lies before the first moment, whatever is asked for.
    let mut asked = AuditQuery { since: Timestamp::default(), most: 100, ..all() };
    let mut read = Vec::new();
    for _ in 0..60 {
        let found = page(stores, &asked).await;
        read.extend(ids(&found));
        let Some(next) = found.next else { break };
        assert!(next < asked.before, "{next} is where it began");
        asked.before = next;
    }
    assert_eq!(read, written);
    for most in 1..=15 {
        let mut asked = AuditQuery { since: days(1_300), most, ..all() };
        let mut read = Vec::new();
        loop {
            let found = page(stores, &asked).await;
            assert!(found.entries.len() <= most);
            assert!(found.entries.iter().all(|recorded| recorded.outcome == Some(Outcome::Done)));
            read.extend(ids(&found));
            let Some(next) = found.next else { break };
            asked.before = next;
        }
        assert_eq!(read, written, "{most} at once");
    }
}

async fn one_subject_is_listed_alone(stores: &Stores) {
    let mut wanted = Vec::new();
    for count in 0..6 {
        let subject = if count % 2 == 0 { "team/acme/a/b" } else { "team/acme/a" };
        let entry = entry(days(count), subject);
        stores.audit.append(&entry).await.expect("appended");
        stores.audit.conclude(entry.id, Outcome::Done).await.expect("concluded");
        wanted.extend((count % 2 == 0).then_some(entry.id));
    }
    let asked = AuditQuery { since: days(50), subject: Some("team/acme/a/b".to_owned()), ..all() };
    let found = page(stores, &asked).await;
    assert_eq!((ids(&found), found.next), (wanted, None));
    assert!(found.entries.iter().all(|recorded| recorded.outcome.is_some()));
}
