//! What the dashboard shows: everything at a glance, from the summaries of all keys, so that it costs
//! a few reads however many keys there are.
//!
//! Days that are over are read once and kept in the instance; those that may still change are read
//! again every few seconds, while somebody looks.

mod days;
mod standing;
mod view;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join;
use tokio::sync::Mutex;

use super::administer::Admin;
use super::alerts::AlertQuestion;
use super::error::GatewayError;
use crate::domain::money::MoneyError;
use crate::domain::time::Timestamp;
use crate::ports::{BreakerStore, ReadRollups, StoreError};
use days::{Day, Sums};
use view::{Latency, Series, Totals};

pub use view::View;

/// The most days that may be asked for.
pub const DAYS_MAX: u32 = 90;
/// Up to so many days are shown by the hour.
const BY_HOUR_MAX: u32 = 7;
/// How long today is used as it was read.
const FRESH: Duration = Duration::from_secs(2);
/// The same for yesterday, of which some requests may end late.
const SETTLING: Duration = Duration::from_secs(60);
/// The same for a day before; folding it again shows after that.
const KEPT: Duration = Duration::from_secs(15 * 60);
/// How long one answer may read days. What is missing then is read for the next one.
const READING: Duration = Duration::from_secs(4);
/// Models whose breakers are read because they cost most, beside those of the routes.
const FAMILIAR: usize = 5;
/// Alerts that are shown.
const ALERTS_MAX: usize = 30;

/// Where the picture comes from.
pub struct Overview {
    pub rollups: Arc<dyn ReadRollups>,
    pub breakers: Arc<dyn BreakerStore>,
    /// `provider/model` of the configured routes.
    pub routes: Vec<String>,
    days: Mutex<BTreeMap<i64, Read>>,
}

#[derive(Clone)]
struct Read {
    at: Timestamp,
    day: Arc<Day>,
}

impl Overview {
    pub fn new(rollups: Arc<dyn ReadRollups>, breakers: Arc<dyn BreakerStore>, routes: Vec<String>) -> Self {
        Overview { rollups, breakers, routes, days: Mutex::default() }
    }

    /// The last `count` days, today included.
    ///
    /// # Errors
    /// [`GatewayError::StoreDown`], also when a sum does not fit 64 bits.
    pub async fn view(&self, admin: &Admin, count: u32) -> Result<View, GatewayError> {
        let now = admin.clock.now();
        let (folded, records) = try_join(self.rollups.folded(), admin.registry.list_keys().list())
            .await
            .map_err(GatewayError::StoreDown)?;
        let days = self.days(count, now).await.map_err(GatewayError::StoreDown)?;
        let mut sums = Sums::default();
        days.values().try_for_each(|day| sums.add(&day.sums)).map_err(too_much)?;
        let by_day = days.iter().map(|(day, read)| (*day, read.as_ref())).collect();
        let series = Series::of(&by_day, count <= BY_HOUR_MAX, &sums).map_err(too_much)?;
        let today = days.get(&day_of(now)).map(|day| Totals::from(&day.sums.slot)).unwrap_or_default();
        let (budgets, more_budgets) = standing::budgets(admin, &records, &sums.keys, now).await?;
        let ((models, more_models), (keys, more_keys)) =
            (view::models(&sums).map_err(too_much)?, view::keys(&sums, &records).map_err(too_much)?);
        let targets: BTreeSet<String> = self
            .routes
            .iter()
            .cloned()
            .chain(models.iter().take(FAMILIAR).map(|row| row.model.clone()))
            .collect();
        let breakers = standing::breakers(self.breakers.as_ref(), targets, now)
            .await
            .map_err(GatewayError::StoreDown)?;
        let newest = AlertQuestion { most: ALERTS_MAX, ..AlertQuestion::default() };
        Ok(View {
            as_of: folded.map(Timestamp::rfc3339),
            days: count,
            days_read: u32::try_from(days.len()).unwrap_or(count),
            today,
            total: Totals::from(&sums.slot),
            latency: Latency {
                gateway: (&sums.times.gateway).into(),
                first_token: (&sums.times.first_token).into(),
                total: (&sums.times.total).into(),
            },
            series: series.until(now),
            models,
            more_models,
            keys,
            more_keys,
            budgets,
            more_budgets,
            breakers,
            alerts: admin.alerts(newest).await?.alerts,
        })
    }

    /// The days from newest to oldest, as far as there is time to read them.
    async fn days(&self, count: u32, now: Timestamp) -> Result<BTreeMap<i64, Arc<Day>>, StoreError> {
        let until = tokio::time::Instant::now() + READING;
        let today = day_of(now);
        let mut kept = self.days.lock().await;
        kept.retain(|day, _| *day > today - i64::from(DAYS_MAX));
        let mut found = BTreeMap::new();
        for day in (0..i64::from(count)).map(|back| today - back) {
            let good_for = match today - day {
                0 => FRESH,
                1 => SETTLING,
                _ => KEPT,
            };
            let standing = kept.get(&day).filter(|read| now.since(read.at) < good_for);
            let read = match standing {
                Some(read) => read.clone(),
                None if tokio::time::Instant::now() >= until => break,
                None => Read { at: now, day: Arc::new(self.read(day).await?) },
            };
            found.insert(day, Arc::clone(&read.day));
            kept.insert(day, read);
        }
        Ok(found)
    }

    async fn read(&self, day: i64) -> Result<Day, StoreError> {
        let summaries = self.rollups.of_day(day).await?;
        Day::of(&summaries).map_err(|error| StoreError::Rejected(error.to_string()))
    }
}

fn day_of(at: Timestamp) -> i64 {
    at.hour().div_euclid(24)
}

fn too_much(error: MoneyError) -> GatewayError {
    GatewayError::StoreDown(StoreError::Rejected(error.to_string()))
}
