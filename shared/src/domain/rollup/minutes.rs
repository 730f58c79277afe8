//! How the requests of an hour spread over its minutes.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

const MINUTES: i64 = 60;

/// Requests of each minute of an hour, up to the last that had any. Stored as text, since a list of sixty
/// numbers takes three times as many bytes: `,,3,1` are three in the third minute and one in the fourth.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Minutes(Vec<u64>);

impl Minutes {
    pub(super) fn of(arrivals: impl Iterator<Item = Timestamp>) -> Self {
        let mut minutes = Minutes::default();
        for at in arrivals {
            let minute = at.minute().rem_euclid(MINUTES);
            minutes.put(usize::try_from(minute).unwrap_or(0), 1);
        }
        minutes
    }

    /// So many requests in the first minute, and none else.
    pub fn in_one(requests: u64) -> Self {
        let mut minutes = Minutes::default();
        minutes.put(0, requests);
        minutes
    }

    /// Takes in those of the same hour that another partition holds.
    pub fn add(&mut self, other: &Minutes) {
        for (minute, requests) in other.0.iter().enumerate() {
            self.put(minute, *requests);
        }
    }

    /// Requests of the minute that had most; none where it is not known.
    pub fn busiest(&self) -> u64 {
        self.0.iter().copied().max().unwrap_or(0)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn put(&mut self, minute: usize, requests: u64) {
        if requests > 0 && self.0.len() <= minute {
            self.0.resize(minute + 1, 0);
        }
        if let Some(sum) = self.0.get_mut(minute) {
            *sum = sum.saturating_add(requests);
        }
    }
}

impl From<Minutes> for String {
    fn from(minutes: Minutes) -> String {
        let mut text = String::new();
        for (minute, requests) in minutes.0.into_iter().enumerate() {
            let comma = if minute == 0 { "" } else { "," };
            // Writing into a string does not fail.
            let _ = match requests {
                0 => write!(text, "{comma}"),
                some => write!(text, "{comma}{some}"),
            };
        }
        text
    }
}

impl TryFrom<String> for Minutes {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let read = |one: &str| if one.is_empty() { Ok(0) } else { one.parse::<u64>() };
        let all: Result<Vec<u64>, _> = text.split(',').map(read).collect();
        let all = all.map_err(|_| format!("not the minutes of an hour: {text:?}"))?;
        let mut minutes = Minutes::default();
        all.into_iter()
            .take(MINUTES as usize)
            .enumerate()
            .for_each(|(minute, some)| minutes.put(minute, some));
        Ok(minutes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_counted_added_and_read_back() {
        let hour = Timestamp::of_hour(500_000).millis();
        let at = |seconds: &i64| Timestamp::from_millis(hour + seconds * 1_000);
        let mut minutes = Minutes::of([3_599, 0, 59, 61, 3_540].iter().map(at));
        assert_eq!(minutes.busiest(), 2);
        minutes.add(&Minutes::of([62, 180].iter().map(at)));
        let text = String::from(minutes.clone());
        assert_eq!(text, format!("2,2,,1{}2", ",".repeat(56)));
        assert_eq!(Minutes::try_from(text), Ok(minutes));
    }

    #[test]
    fn nothing_is_empty_and_what_is_no_number_is_refused() {
        assert_eq!(Minutes::try_from(String::new()), Ok(Minutes::default()));
        assert!(Minutes::default().is_empty() && String::from(Minutes::default()).is_empty());
        assert!(Minutes::try_from("1,x".to_owned()).is_err());
    }
}
