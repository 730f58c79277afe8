//! Policies of teams, users and tenants.

use std::time::Duration;

use shared::domain::counter::{RateLimits, ScopeState};
use shared::domain::policy::{Budget, Policy, ScopeName, ScopePolicy, Shards};
use shared::domain::time::Period;

use super::samples::{NOW, nano};
use super::stores::Stores;

on_every_store!(
    a_policy_is_found_as_it_was_put,
    a_policy_that_comes_late_replaces_no_later_one,
    policies_are_listed_under_their_names,
);

fn policy(cap: i64) -> ScopePolicy {
    let own = Policy {
        budgets: vec![Budget { cap: nano(cap), period: Period::Hour }],
        limits: RateLimits { concurrency: Some(3), ..RateLimits::default() },
        state: ScopeState::Stopped,
        throttle: None,
        shards: Shards { count: 64, before: Vec::new() },
        version: NOW,
    };
    ScopePolicy { own, each_user: Some(Policy::default()), each_session: None }
}

async fn a_policy_is_found_as_it_was_put(stores: &Stores) {
    let (ada, other) = (ScopeName::user("acme", "ada#1"), ScopeName::user("acme", "ada"));
    assert_eq!(stores.find_policy.find_policy(&ada).await, Ok(None));
    for (cap, before) in [(5, None), (6, Some(NOW))] {
        assert_eq!(stores.manage_policies.put_policy(&ada, &policy(cap), before).await, Ok(true));
        assert_eq!(stores.find_policy.find_policy(&ada).await, Ok(Some(policy(cap))));
        assert_eq!(stores.find_policy.find_policy(&other).await, Ok(None));
    }
}

async fn a_policy_that_comes_late_replaces_no_later_one(stores: &Stores) {
    let acme = ScopeName::tenant("acme");
    let at = |millis: u64| NOW + Duration::from_millis(millis);
    let put = async |cap: i64, version, before| {
        stores.manage_policies.put_policy(&acme, &policy(cap).at(version), before).await
    };
    assert_eq!(put(5, at(0), Some(at(0))).await, Ok(false), "there is none to replace");
    assert_eq!(put(5, at(0), None).await, Ok(true));
    assert_eq!(put(5, at(0), None).await, Ok(true), "the same, sent twice");
    assert_eq!(put(6, at(2), Some(at(0))).await, Ok(true));
    for (cap, version, before) in [(5, at(0), None), (7, at(3), Some(at(0))), (8, at(2), Some(at(0)))] {
        assert_eq!(put(cap, version, before).await, Ok(false), "{cap}");
    }
    let standing = stores.find_policy.find_policy(&acme).await;
    assert_eq!(standing, Ok(Some(policy(6).at(at(2)))));
}

async fn policies_are_listed_under_their_names(stores: &Stores) {
    let names =
        [ScopeName::team("acme", "search"), ScopeName::tenant("acme"), ScopeName::user("acme", "a b/c")];
    for (name, cap) in names.iter().zip(1..) {
        stores.manage_policies.put_policy(name, &policy(cap), None).await.expect("put");
    }
    let mut listed = stores.manage_policies.list_policies().await.expect("listed");
    listed.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut expected: Vec<_> = names.into_iter().zip((1..).map(policy)).collect();
    expected.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert_eq!(listed, expected);
}
