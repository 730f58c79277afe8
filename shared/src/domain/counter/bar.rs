//! What keeps a scope that is not active from spending, and until when.

use super::{Counter, ScopeState};

/// Beside a [`ScopeState`]: how slow a throttled scope goes, and when its state bars nothing any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bar {
    /// Requests a minute that a throttled scope is admitted; none is none.
    pub pace: i64,
    /// The minute, from [`crate::domain::time::Timestamp::minute`], from which on the scope is admitted as
    /// if it were active. None is until the policy changes.
    pub until: Option<i64>,
}

impl Bar {
    /// What `state` comes to in a minute.
    pub fn state_in(self, state: ScopeState, minute: i64) -> ScopeState {
        match self.until.is_some_and(|until| until <= minute) {
            true => ScopeState::Active,
            false => state,
        }
    }
}

impl Counter {
    /// The requests that this minute's pace allows; none where nothing slows the scope down.
    pub fn pace_in(&self, minute: i64) -> Option<i64> {
        let slowed = self.bar.state_in(self.state, minute) == ScopeState::Throttled;
        slowed.then_some(self.bar.pace)
    }

    /// Whether the state keeps one more request of this counter's window out.
    pub(super) fn is_barred(&self) -> bool {
        match self.bar.state_in(self.state, self.window) {
            ScopeState::Active => false,
            ScopeState::Throttled => self.requests >= self.bar.pace,
            ScopeState::Stopped => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::counter::Allowance;

    fn counter(state: ScopeState, pace: i64, until: Option<i64>) -> Counter {
        let bar = Bar { pace, until };
        Counter::fresh(&Allowance { state, bar, ..Allowance::default() }, 10)
    }

    #[test]
    fn a_throttled_scope_is_admitted_at_its_pace() {
        let slow = counter(ScopeState::Throttled, 2, None);
        assert!(!slow.is_barred());
        assert!(Counter { requests: 2, ..slow.clone() }.is_barred());
        assert!(counter(ScopeState::Throttled, 0, None).is_barred());
        assert_eq!((slow.pace_in(10), counter(ScopeState::Active, 2, None).pace_in(10)), (Some(2), None));
    }

    #[test]
    fn a_state_ends_with_its_minute() {
        for state in [ScopeState::Throttled, ScopeState::Stopped] {
            assert!(counter(state, 0, Some(11)).is_barred());
            assert!(!counter(state, 0, Some(10)).is_barred());
            assert_eq!(counter(state, 0, Some(10)).pace_in(10), None);
        }
    }
}
