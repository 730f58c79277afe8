//! Notes that what an alert told of is over.

use std::time::Duration;

use super::{LOOK_BACK, Watch};
use crate::domain::alert::{About, BudgetAt, Entry, Standing};
use crate::domain::time::Timestamp;
use crate::ports::{StoreError, Vitals};

/// How long an alert stands that tells of something that has happened and does not last.
const PASSING: Duration = Duration::from_secs(3600);

/// The open alerts, oldest first, as they stand after it.
pub(super) async fn clear(
    watch: &Watch,
    standings: &[Standing],
    vitals: Option<&Vitals>,
    now: Timestamp,
) -> Result<Vec<Entry>, StoreError> {
    let mut entries = watch.outbox.open_alerts(now - LOOK_BACK).await?;
    for entry in &mut entries {
        if entry.cleared_at.is_none() && is_over(entry, standings, vitals, now) {
            entry.cleared_at = Some(now);
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

fn is_over(entry: &Entry, standings: &[Standing], vitals: Option<&Vitals>, now: Timestamp) -> bool {
    let has_passed = now.since(entry.alert.at) >= PASSING;
    match &entry.alert.about {
        About::Budget { budget, threshold_ppm, .. } => {
            ended(budget, now)
                || raised(budget, standings).is_some_and(|standing| !standing.is_at(*threshold_ppm))
        }
        About::Forecast { budget, .. } => {
            ended(budget, now)
                || raised(budget, standings).is_some_and(|standing| standing.forecast(now).is_none())
        }
        About::GatewayLatency { limit_ms, .. } => {
            vitals.is_some_and(|vitals| vitals.p95_ms.is_none_or(|p95| p95 <= *limit_ms))
        }
        About::FallbackRate { limit_ppm, .. } => {
            vitals.is_some_and(|vitals| vitals.fallback_ppm.is_none_or(|ppm| ppm <= *limit_ppm))
        }
        About::DeadLetters { queue, .. } => vitals.is_some_and(|vitals| {
            vitals.dead_letters.iter().all(|(name, waiting)| name != queue || *waiting == 0)
        }),
        About::CostVariance { .. } | About::Sweeps { .. } | About::Anomaly { .. } => has_passed,
    }
}

fn ended(budget: &BudgetAt, now: Timestamp) -> bool {
    budget.resets_at.is_some_and(|at| at <= now)
}

/// The budget as it stands, where its cap was raised since.
fn raised<'a>(budget: &BudgetAt, standings: &'a [Standing]) -> Option<&'a Standing> {
    standings.iter().find(|standing| {
        let now = &standing.budget;
        (now.scope, &now.id, &now.period) == (budget.scope, &budget.id, &budget.period)
            && now.cap_usd > budget.cap_usd
    })
}
