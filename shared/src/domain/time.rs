//! Points in time and the periods of budgets. The clock is read at the edge and handed in.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime};

/// Milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Timestamp(millis)
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The minute this moment lies in, counted from the epoch: the window of rate limits.
    pub const fn minute(self) -> i64 {
        self.0.div_euclid(60_000)
    }

    /// The hour this moment lies in, counted from the epoch: what usage is summed by.
    pub const fn hour(self) -> i64 {
        self.0.div_euclid(3_600_000)
    }

    /// The first moment of an hour, counted as [`Timestamp::hour`] does.
    pub const fn of_hour(hour: i64) -> Self {
        Timestamp(hour.saturating_mul(3_600_000))
    }

    /// Time from `earlier` to `self`, zero when `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// `2026-11-23T09:00:00Z`, in whole seconds.
    pub fn rfc3339(self) -> String {
        self.datetime().format(&Rfc3339).unwrap_or_default()
    }

    /// Reads `2026-11-23T09:00:00Z`, any offset, or a date, which begins at midnight UTC.
    pub fn parse(text: &str) -> Option<Self> {
        let whole =
            if text.len() == "YYYY-MM-DD".len() { format!("{text}T00:00:00Z") } else { text.to_owned() };
        let at = OffsetDateTime::parse(&whole, &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).ok().map(Timestamp)
    }

    /// `YYYY-MM-DD`, the form of `valid_from` in the price file.
    pub fn date(self) -> String {
        let date = self.datetime().date();
        format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
    }

    fn datetime(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    fn from_date(date: Date) -> Self {
        Timestamp(date.midnight().assume_utc().unix_timestamp().saturating_mul(1000))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Timestamp;

    fn sub(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// How long a cap lasts before it starts anew. All periods are in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    Minute,
    Hour,
    Day,
    Month,
    /// Never starts anew.
    Total,
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Period::Minute => "minute",
            Period::Hour => "hour",
            Period::Day => "day",
            Period::Month => "month",
            Period::Total => "total",
        })
    }
}

impl Period {
    pub const ALL: [Period; 5] = [Period::Minute, Period::Hour, Period::Day, Period::Month, Period::Total];

    /// The names of the periods that `now` lies in, and of those before them.
    pub fn labels_around(now: Timestamp) -> BTreeSet<String> {
        let before = |period: Period| Timestamp(period.starts_at(now).0.saturating_sub(1));
        Period::ALL.into_iter().flat_map(|period| [period.label(now), period.label(before(period))]).collect()
    }

    /// The name of the period `now` lies in, part of the counter's key: `month#2026-11`.
    pub fn label(self, now: Timestamp) -> String {
        let at = now.datetime();
        let day = now.date();
        match self {
            Period::Minute => format!("minute#{day}T{:02}:{:02}", at.hour(), at.minute()),
            Period::Hour => format!("hour#{day}T{:02}", at.hour()),
            Period::Day => format!("day#{day}"),
            Period::Month => format!("month#{}", &day[..day.len().saturating_sub(3)]),
            Period::Total => "total".to_owned(),
        }
    }

    /// The first moment of the period `now` lies in.
    pub fn starts_at(self, now: Timestamp) -> Timestamp {
        let floor = |millis: i64| Timestamp(now.0.div_euclid(millis).saturating_mul(millis));
        match self {
            Period::Minute => floor(60_000),
            Period::Hour => floor(3_600_000),
            Period::Day => floor(86_400_000),
            Period::Month => {
                let date = now.datetime().date();
                Timestamp::from_date(date.replace_day(1).unwrap_or(date))
            }
            Period::Total => Timestamp::default(),
        }
    }

    /// The first moment of the next period; none for [`Period::Total`].
    pub fn resets_at(self, now: Timestamp) -> Option<Timestamp> {
        let step =
            |millis: i64| Some(Timestamp(now.0.div_euclid(millis).saturating_add(1).saturating_mul(millis)));
        match self {
            Period::Minute => step(60_000),
            Period::Hour => step(3_600_000),
            Period::Day => step(86_400_000),
            Period::Month => {
                let date = now.datetime().date();
                let (year, month) = match date.month() {
                    Month::December => (date.year() + 1, Month::January),
                    month => (date.year(), month.next()),
                };
                Date::from_calendar_date(year, month, 1).ok().map(Timestamp::from_date)
            }
            Period::Total => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-12-31T23:59:30Z.
    const NEW_YEARS_EVE: Timestamp = Timestamp(1_798_761_570_000);

    #[test]
    fn labels_name_the_period() {
        let labels = [Period::Minute, Period::Hour, Period::Day, Period::Month, Period::Total]
            .map(|p| p.label(NEW_YEARS_EVE));
        assert_eq!(
            labels,
            ["minute#2026-12-31T23:59", "hour#2026-12-31T23", "day#2026-12-31", "month#2026-12", "total"]
        );
    }

    #[test]
    fn times_and_dates_are_read_and_nothing_else_is() {
        for text in ["2026-12-31T23:59:30Z", "2027-01-01T00:59:30+01:00"] {
            assert_eq!(Timestamp::parse(text), Some(NEW_YEARS_EVE), "{text}");
        }
        assert_eq!(Timestamp::parse("2026-12-31"), Some(Timestamp(1_798_675_200_000)));
        for text in ["", "yesterday", "2026-13-01", "2026-12-31 10:00", "1798761570"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_period_but_total_resets_at_its_end() {
        for period in [Period::Minute, Period::Hour, Period::Day, Period::Month] {
            let reset = period.resets_at(NEW_YEARS_EVE).expect("a period that ends");
            assert_eq!(reset.rfc3339(), "2027-01-01T00:00:00Z", "{period:?}");
        }
        assert_eq!(Period::Total.resets_at(NEW_YEARS_EVE), None);
    }
}
