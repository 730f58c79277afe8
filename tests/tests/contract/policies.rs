//! Policies of teams, users and tenants.

use shared::domain::counter::{RateLimits, ScopeState};
use shared::domain::policy::{Budget, Policy, ScopeName, ScopePolicy, Shards};
use shared::domain::time::Period;

use super::samples::{NOW, nano};
use super::stores::Stores;

on_every_store!(a_policy_is_found_as_it_was_put, policies_are_listed_under_their_names);

fn policy(cap: i64) -> ScopePolicy {
    let own = Policy {
        budgets: vec![Budget { cap: nano(cap), period: Period::Hour }],
        limits: RateLimits { concurrency: Some(3), ..RateLimits::default() },
        state: ScopeState::Stopped,
        shards: Shards { count: 64, before: Vec::new() },
        version: NOW,
    };
    ScopePolicy { own, each_user: Some(Policy::default()), each_session: None }
}

async fn a_policy_is_found_as_it_was_put(stores: &Stores) {
    let (ada, other) = (ScopeName::user("acme", "ada#1"), ScopeName::user("acme", "ada"));
    assert_eq!(stores.find_policy.find_policy(&ada).await, Ok(None));
    for cap in [5, 6] {
        stores.manage_policies.put_policy(&ada, &policy(cap)).await.expect("put");
        assert_eq!(stores.find_policy.find_policy(&ada).await, Ok(Some(policy(cap))));
        assert_eq!(stores.find_policy.find_policy(&other).await, Ok(None));
    }
}

async fn policies_are_listed_under_their_names(stores: &Stores) {
    let names =
        [ScopeName::team("acme", "search"), ScopeName::tenant("acme"), ScopeName::user("acme", "a b/c")];
    for (name, cap) in names.iter().zip(1..) {
        stores.manage_policies.put_policy(name, &policy(cap)).await.expect("put");
    }
    let mut listed = stores.manage_policies.list_policies().await.expect("listed");
    listed.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut expected: Vec<_> = names.into_iter().zip((1..).map(policy)).collect();
    expected.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert_eq!(listed, expected);
}
