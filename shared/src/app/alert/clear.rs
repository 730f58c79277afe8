//! Notes that what an alert told of is over.

use std::time::Duration;

use super::{LOOK_BACK, Seen, Watch};
use crate::domain::alert::{About, BudgetAt, Entry, Standing};
use crate::domain::time::Timestamp;
use crate::ports::{StoreError, Vitals};

/// How long an alert stands that tells of something that has happened and does not last.
const PASSING: Duration = Duration::from_secs(3600);

/// What is known of the gateway itself; none where it could not be measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    pub vitals: Option<Vitals>,
    pub dead_letters: Option<Vec<(String, u64)>>,
}

/// The open alerts, oldest first, as they stand after it.
pub(super) async fn clear(
    watch: &Watch,
    seen: &Seen,
    measured: &Measured,
    now: Timestamp,
) -> Result<Vec<Entry>, StoreError> {
    let mut entries = watch.outbox.open_alerts(now - LOOK_BACK).await?;
    for entry in &mut entries {
        let is_over = match entry.cleared_at {
            None => is_over(watch, entry, seen, measured, now).await,
            Some(_) => Ok(false),
        };
        match is_over {
            Ok(true) => entry.cleared_at = Some(now),
            Ok(false) => {}
            Err(error) => {
                let alert = entry.alert.id.as_str();
                tracing::warn!(%error, alert, "whether an alert is over is not known");
            }
        }
        let was_cleared = entry.cleared_at == Some(now);
        entry.done = !entry.is_open(&watch.routes) && entry.cleared_at.is_some();
        // Where somebody else changed it the next pass looks again.
        if (was_cleared || entry.done) && watch.outbox.swap_alert(entry).await? {
            entry.version = entry.version.saturating_add(1);
        }
    }
    Ok(entries)
}

async fn is_over(
    watch: &Watch,
    entry: &Entry,
    seen: &Seen,
    measured: &Measured,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let alert = &entry.alert;
    let vitals = measured.vitals.as_ref();
    Ok(match &alert.about {
        About::Budget { budget, .. } | About::Forecast { budget, .. } if ended(budget, now) => true,
        About::Budget { budget, threshold_ppm, .. } => {
            let standing = seen.standing_of(watch, alert, budget, now).await?;
            standing.is_some_and(|now| is_raised(budget, &now) && !now.is_at(*threshold_ppm))
        }
        About::Forecast { budget, .. } => {
            let standing = seen.standing_of(watch, alert, budget, now).await?;
            standing.is_some_and(|standing| is_raised(budget, &standing) && standing.forecast(now).is_none())
        }
        About::GatewayLatency { limit_ms, .. } => {
            vitals.is_some_and(|vitals| vitals.p95_ms.is_none_or(|p95| p95 <= *limit_ms))
        }
        About::FallbackRate { limit_ppm, .. } => {
            vitals.is_some_and(|vitals| vitals.fallback_ppm.is_none_or(|ppm| ppm <= *limit_ppm))
        }
        About::DeadLetters { queue, .. } => measured
            .dead_letters
            .as_ref()
            .is_some_and(|letters| letters.iter().all(|(name, waiting)| name != queue || *waiting == 0)),
        About::CostVariance { .. } | About::Sweeps { .. } | About::Anomaly { .. } => {
            now.since(alert.at) >= PASSING
        }
    })
}

fn ended(budget: &BudgetAt, now: Timestamp) -> bool {
    budget.resets_at.is_some_and(|at| at <= now)
}

fn is_raised(budget: &BudgetAt, standing: &Standing) -> bool {
    standing.budget.cap_usd > budget.cap_usd
}
