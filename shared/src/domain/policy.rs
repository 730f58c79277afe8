//! What an admin sets for a scope: caps, limits, and whether it may spend at all.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::counter::{Bar, RateLimits, SHARDS_MAX, ScopeKind, ScopeState};
use super::money::NanoUsd;
use super::time::{Period, Timestamp};

/// Requests a minute of a scope that an admin throttles and whose requests are not limited.
const PACE: i64 = 6;
/// A limited one that is throttled has this part of its limit.
const PACE_PART: i64 = 10;

/// A cap for one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    pub cap: NanoUsd,
    pub period: Period,
}

/// What holds for one scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Policy {
    /// At most one for each period; all of them hold at once. None is no cap.
    pub budgets: Vec<Budget>,
    pub limits: RateLimits,
    /// As an admin set it.
    pub state: ScopeState,
    /// What the gateway does by itself, where the admin lets the scope spend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle: Option<Throttle>,
    /// Counters that each period is spread over, 1 to [`SHARDS_MAX`].
    pub shards: Shards,
    /// When it was last changed. Of two policies for a scope, the later one holds.
    pub version: Timestamp,
}

/// A state that the gateway gave a key by itself, for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Throttle {
    /// Active spares the key: an admin released it, and it is not throttled again before `until`.
    pub state: ScopeState,
    /// Requests a minute while throttled.
    #[serde(default)]
    pub pace: i64,
    pub since: Timestamp,
    /// When it is over, whether or not anybody looks. For the counters it ends with the minute before.
    pub until: Timestamp,
}

impl Throttle {
    /// How long a key that an admin let go is left alone.
    pub const SPARED: Duration = Duration::from_secs(86_400);

    /// Spares the key from `now` on.
    pub fn spared(now: Timestamp) -> Self {
        Throttle { state: ScopeState::Active, pace: 0, since: now, until: now + Throttle::SPARED }
    }

    /// Whether it bars the key at a time.
    pub fn bars(&self, now: Timestamp) -> bool {
        self.state != ScopeState::Active && self.until.minute() > now.minute()
    }
}

/// How many counters a period is spread over. A period keeps the number that it began with, since
/// what was spent lies in its counters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shards {
    pub count: u8,
    /// The numbers before, oldest first, each for periods that began no later than its time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<(u8, Timestamp)>,
}

impl Default for Shards {
    fn default() -> Self {
        Shards { count: 1, before: Vec::new() }
    }
}

impl Shards {
    /// Every request has heard of a change when the first period begins that it holds for: it lasts a
    /// quarter of an hour at most, began with a copy of the policy that was a minute old at most, and
    /// the clocks of an admin and an instance, each off by five minutes, differ by ten.
    const NOTICE: Duration = Duration::from_secs(1_800);
    /// No period but the total is longer.
    const LONGEST: Duration = Duration::from_secs(62 * 86_400);

    /// `count` from the next period on.
    #[must_use]
    pub fn change(&self, count: u8, now: Timestamp) -> Self {
        if self.count == count {
            return self.clone();
        }
        let total = self.before.first().copied();
        let recent = self.before.iter().skip(1).filter(|(_, until)| now.since(*until) < Shards::LONGEST);
        let mut before: Vec<(u8, Timestamp)> = total.into_iter().chain(recent.copied()).collect();
        before.push((self.count, now + Shards::NOTICE));
        Shards { count, before }
    }

    /// The number for the period `now` lies in.
    pub fn in_period(&self, period: Period, now: Timestamp) -> u8 {
        let starts_at = period.starts_at(now);
        let before = self.before.iter().find(|(_, until)| starts_at <= *until);
        before.map_or(self.count, |(count, _)| *count).clamp(1, SHARDS_MAX)
    }
}

/// The policy of a scope, and what its members get that have none of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ScopePolicy {
    pub own: Policy,
    /// Of a tenant: for each of its users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each_user: Option<Policy>,
    /// Of a tenant: for each session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each_session: Option<Policy>,
}

impl ScopePolicy {
    /// The same, as of `version`.
    #[must_use]
    pub fn at(self, version: Timestamp) -> Self {
        let dated = |policy: Policy| Policy { version, ..policy };
        ScopePolicy {
            own: dated(self.own),
            each_user: self.each_user.map(dated),
            each_session: self.each_session.map(dated),
        }
    }
}

/// Names a scope among all of its kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeName {
    pub kind: ScopeKind,
    /// What its owner calls it.
    pub id: String,
    /// Whose it is, where two owners may use the same id: the tenant of a team or user, the key of
    /// a session.
    pub owner: Option<String>,
}

impl ScopeName {
    pub fn key(id: &str) -> Self {
        ScopeName { kind: ScopeKind::Key, id: id.to_owned(), owner: None }
    }

    pub fn token(id: &str) -> Self {
        ScopeName { kind: ScopeKind::Token, id: id.to_owned(), owner: None }
    }

    pub fn tenant(id: &str) -> Self {
        ScopeName { kind: ScopeKind::Tenant, id: id.to_owned(), owner: None }
    }

    pub fn team(tenant: &str, id: &str) -> Self {
        ScopeName { kind: ScopeKind::Team, id: id.to_owned(), owner: Some(tenant.to_owned()) }
    }

    pub fn user(tenant: &str, id: &str) -> Self {
        ScopeName { kind: ScopeKind::User, id: id.to_owned(), owner: Some(tenant.to_owned()) }
    }

    pub fn session(key: &str, id: &str) -> Self {
        ScopeName { kind: ScopeKind::Session, id: id.to_owned(), owner: Some(key.to_owned()) }
    }

    /// Unique within the kind. Owners hold no `#`, so no two names meet.
    pub fn qualified(&self) -> String {
        match &self.owner {
            Some(owner) => format!("{owner}#{}", self.id),
            None => self.id.clone(),
        }
    }
}

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.kind, self.qualified())
    }
}

impl Policy {
    /// Whether it says nothing that a counter would have to enforce.
    pub fn is_open(&self) -> bool {
        let is_free = self.barred() == (ScopeState::Active, Bar::default());
        self.budgets.is_empty() && self.limits == RateLimits::default() && is_free
    }

    /// What its counters enforce. Whatever an admin set goes before what the gateway does by itself.
    pub fn barred(&self) -> (ScopeState, Bar) {
        match (self.state, self.throttle.filter(|throttle| throttle.state != ScopeState::Active)) {
            (ScopeState::Active, Some(throttle)) => {
                (throttle.state, Bar { pace: throttle.pace, until: Some(throttle.until.minute()) })
            }
            (ScopeState::Throttled, _) => {
                let part = self.limits.requests.map_or(PACE, |limit| limit / PACE_PART);
                (ScopeState::Throttled, Bar { pace: part.max(i64::from(self.shards.count)), until: None })
            }
            (state, _) => (state, Bar::default()),
        }
    }

    /// What an admin's change makes of a throttle that stands: the key is let go, and spared.
    #[must_use]
    pub fn freed(standing: Option<Throttle>, now: Timestamp) -> Option<Throttle> {
        match standing {
            Some(throttle) if throttle.bars(now) => Some(Throttle::spared(now)),
            other => other.filter(|throttle| throttle.state == ScopeState::Active && now < throttle.until),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_of_different_owners_never_share_a_name() {
        let names = [
            ScopeName::user("acme", "b"),
            ScopeName::user("acme", "b#c"),
            ScopeName::user("other", "b"),
            ScopeName::team("acme", "b"),
            ScopeName::tenant("acme"),
        ];
        let distinct: std::collections::BTreeSet<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(distinct.len(), names.len());
    }

    #[test]
    fn a_period_keeps_the_number_of_counters_that_it_began_with() {
        // 2026-12-30T12:00:00Z.
        let noon = Timestamp::from_millis(1_798_632_000_000);
        let hours = |hours: u64| noon + Duration::from_secs(3600 * hours);
        let once = Shards::default().change(8, noon);
        let twice = once.change(16, hours(13));
        for (shards, period, now, count) in [
            (&once, Period::Day, hours(1), 1),
            (&once, Period::Day, hours(12), 8),
            (&once, Period::Hour, noon + Duration::from_secs(60), 1),
            (&once, Period::Hour, hours(1), 8),
            (&once, Period::Total, hours(9999), 1),
            (&twice, Period::Day, hours(14), 8),
            (&twice, Period::Month, hours(14), 1),
            (&twice, Period::Hour, hours(14), 16),
            (&twice, Period::Month, hours(36), 16),
            (&twice, Period::Total, hours(9999), 1),
        ] {
            assert_eq!(shards.in_period(period, now), count, "{shards:?} {period} {now:?}");
        }
        assert_eq!(Shards::default().change(1, noon), Shards::default());
    }

    #[test]
    fn what_an_admin_set_goes_before_what_the_gateway_does_by_itself() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let throttle = |state| Throttle { state, pace: 4, since: now, until: now + Duration::from_secs(600) };
        let policy = |state, limit, own| Policy {
            state,
            limits: RateLimits { requests: limit, ..RateLimits::default() },
            throttle: own,
            ..Policy::default()
        };
        let until = Some((now + Duration::from_secs(600)).minute());
        for (state, limit, own, barred) in [
            (ScopeState::Active, None, None, (ScopeState::Active, Bar::default())),
            (
                ScopeState::Active,
                None,
                Some(throttle(ScopeState::Active)),
                (ScopeState::Active, Bar::default()),
            ),
            (
                ScopeState::Active,
                None,
                Some(throttle(ScopeState::Throttled)),
                (ScopeState::Throttled, Bar { pace: 4, until }),
            ),
            (
                ScopeState::Stopped,
                None,
                Some(throttle(ScopeState::Throttled)),
                (ScopeState::Stopped, Bar::default()),
            ),
            (
                ScopeState::Throttled,
                Some(50),
                Some(throttle(ScopeState::Stopped)),
                (ScopeState::Throttled, Bar { pace: 5, until: None }),
            ),
            (ScopeState::Throttled, None, None, (ScopeState::Throttled, Bar { pace: 6, until: None })),
            (ScopeState::Throttled, Some(3), None, (ScopeState::Throttled, Bar { pace: 1, until: None })),
        ] {
            assert_eq!(policy(state, limit, own).barred(), barred, "{state} {limit:?} {own:?}");
        }
    }

    #[test]
    fn a_key_that_an_admin_let_go_is_spared_for_a_day() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let slowed = Throttle {
            state: ScopeState::Throttled,
            pace: 1,
            since: now,
            until: now + Duration::from_secs(600),
        };
        let spared = Policy::freed(Some(slowed), now).expect("spared");
        assert_eq!((spared.state, spared.until), (ScopeState::Active, now + Throttle::SPARED));
        let later = now + Duration::from_secs(7_200);
        assert_eq!(Policy::freed(Some(spared), later), Some(spared), "no longer by another change");
        assert_eq!(Policy::freed(Some(slowed), later), None, "it was over");
        assert_eq!(Policy::freed(None, now), None);
    }

    #[test]
    fn a_policy_that_says_nothing_is_open() {
        assert!(Policy::default().is_open());
        assert!(!Policy { state: ScopeState::Stopped, ..Policy::default() }.is_open());
        let budget = Budget { cap: NanoUsd::ZERO, period: Period::Day };
        assert!(!Policy { budgets: vec![budget], ..Policy::default() }.is_open(), "a cap of 0 is a cap");
    }
}
