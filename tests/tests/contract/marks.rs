//! Marks of the cache, what models call themselves, and the measured precision.

use std::time::Duration;

use shared::domain::cache::{CacheKey, Mark, Selector, Served};
use shared::domain::time::Timestamp;
use shared::ports::Precision;

use super::samples::NOW;
use super::stores::Stores;

on_every_store!(
    of_two_marks_with_a_selector_the_later_stands,
    every_selector_is_read_as_it_was_written,
    what_a_model_called_itself_last_stands,
    a_comparison_counts_once_for_its_tenant_and_model,
    comparisons_are_summed_from_a_day_on,
);

fn mark(tenant: &str, selector: Selector, after: u64) -> Mark {
    Mark { tenant: tenant.to_owned(), selector, at: NOW + Duration::from_secs(after) }
}

async fn put(stores: &Stores, mark: &Mark) {
    stores.marks.mark(mark, mark.at + Duration::from_secs(3_600)).await.expect("marked");
}

async fn of_two_marks_with_a_selector_the_later_stands(stores: &Stores) {
    assert_eq!(stores.marks.read_marks().await.expect("readable"), Default::default());
    let (first, later) = (mark("acme", Selector::Tenant, 0), mark("acme", Selector::Tenant, 5));
    for (write, standing) in [(&first, &first), (&later, &later), (&first, &later), (&later, &later)] {
        put(stores, write).await;
        let marks = stores.elsewhere().marks.read_marks().await.expect("readable").marks;
        assert_eq!(marks, std::slice::from_ref(standing));
    }
}

async fn every_selector_is_read_as_it_was_written(stores: &Stores) {
    let text = |text: &str| text.to_owned();
    let partition = serde_json::from_value(serde_json::json!("ab".repeat(32))).expect("a partition");
    let version = |version: &str| Selector::PromptVersion { id: text("faq"), version: text(version) };
    let mut written = vec![
        mark("acme", Selector::Tenant, 0),
        mark("globex", Selector::Tenant, 0),
        mark("acme", Selector::Partition(partition), 1),
        mark("acme", Selector::Model(text("demo/ok")), 2),
        mark("acme", Selector::Prompt(text("demo/ok")), 3),
        mark("acme", Selector::Tag(text("demo/ok")), 4),
        mark("acme", version("1"), 5),
        mark("acme", version("2"), 6),
    ];
    for mark in &written {
        put(stores, mark).await;
    }
    let mut read = stores.marks.read_marks().await.expect("readable").marks;
    let order = |mark: &Mark| (mark.tenant.clone(), mark.selector.clone());
    read.sort_by_key(order);
    written.sort_by_key(order);
    assert_eq!(read, written);
}

async fn what_a_model_called_itself_last_stands(stores: &Stores) {
    let served = |target: &str, fingerprint: Option<&str>, after: u64| Served {
        target: target.to_owned(),
        model: Some("gpt-4o-2024-08-06".to_owned()),
        fingerprint: fingerprint.map(str::to_owned),
        at: NOW + Duration::from_secs(after),
    };
    let (first, later) = (served("openai/gpt-4o", None, 0), served("openai/gpt-4o", Some("fp_1"), 5));
    for (note, standing) in [(&first, &first), (&later, &later), (&first, &later)] {
        stores.marks.note_served(note).await.expect("noted");
        let marks = stores.marks.read_marks().await.expect("readable");
        assert_eq!((marks.served.as_slice(), marks.marks.len()), (std::slice::from_ref(standing), 0));
    }
    let other = served("openai/gpt-4o-mini", None, 1);
    stores.marks.note_served(&other).await.expect("noted");
    let marks = stores.marks.read_marks().await.expect("readable");
    assert_eq!(marks.served.len(), 2);
    assert_eq!(marks.served("openai/gpt-4o-mini"), Some(&other));
}

async fn count(stores: &Stores, tenant: &str, model: &str, fresh: &str, agreed: bool, at: Timestamp) {
    let fresh = CacheKey::of_bytes(fresh.as_bytes());
    stores.precision.compared(tenant, model, &fresh, agreed, at).await.expect("counted");
}

async fn sums(stores: &Stores, tenant: &str, since: Timestamp) -> Vec<(String, u64, u64)> {
    let sums = stores.precision.precision(tenant, since).await.expect("readable");
    sums.into_iter().map(|(model, Precision { compared, agreed })| (model, compared, agreed)).collect()
}

async fn a_comparison_counts_once_for_its_tenant_and_model(stores: &Stores) {
    for _ in 0..3 {
        count(stores, "acme", "demo/ok", "a", true, NOW).await;
    }
    count(&stores.elsewhere(), "acme", "demo/ok", "a", false, NOW + Duration::from_secs(60)).await;
    count(stores, "acme", "demo/ok", "b", false, NOW).await;
    count(stores, "acme", "demo/other", "c", true, NOW).await;
    count(stores, "globex", "demo/ok", "d", true, NOW).await;
    let row = |model: &str, compared, agreed| (model.to_owned(), compared, agreed);
    assert_eq!(sums(stores, "acme", NOW).await, [row("demo/ok", 2, 1), row("demo/other", 1, 1)]);
    assert_eq!(sums(stores, "globex", NOW).await, [row("demo/ok", 1, 1)]);
    assert_eq!(sums(stores, "nobody", NOW).await, []);
}

async fn comparisons_are_summed_from_a_day_on(stores: &Stores) {
    let day = Duration::from_secs(86_400);
    for (fresh, at) in [("a", NOW), ("b", NOW + day), ("c", NOW + day * 2)] {
        count(stores, "acme", "demo/ok", fresh, true, at).await;
    }
    for (since, compared) in [(NOW, 3), (NOW + day, 2), (NOW + day * 2, 1)] {
        assert_eq!(sums(stores, "acme", since).await, [("demo/ok".to_owned(), compared, compared)]);
    }
    assert_eq!(sums(stores, "acme", NOW + day * 3).await, []);
}
