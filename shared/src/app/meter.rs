//! What was used: hours that are folded from their rollups, and the rest straight from the ledger,
//! so that a report is as of now whatever the rollups lag behind.

use std::ops::Range;

use super::error::GatewayError;
use super::report::{Grouping, UsageReport, report};
use crate::domain::rollup::{Fold, Rollup};
use crate::domain::time::Timestamp;
use crate::ports::{ReadLedger, ReadRollups, StoreError};

/// How far behind the newest folded request the ledger itself is read. A settlement on the request
/// path comes at most a quarter of an hour after its request; one from the queue is folded as soon
/// as it is written.
const MARGIN_HOURS: i64 = 1;
/// Lines of the ledger that a report reads at most. Beyond it the report is as of the rollups.
pub const LINES_MAX: usize = 20_000;

/// Where usage is read.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    pub ledger: &'a dyn ReadLedger,
    pub rollups: &'a dyn ReadRollups,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub keys: Vec<String>,
    /// From when on requests count. Between two hours it is exact only where the ledger is read.
    pub since: Timestamp,
    /// Up to when, at the beginning of an hour; none is now.
    pub until: Option<Timestamp>,
    pub grouping: Grouping,
}

/// # Errors
/// [`GatewayError::StoreDown`], also when a sum does not fit 64 bits.
pub async fn usage(
    sources: &Sources<'_>,
    question: &Question,
    now: Timestamp,
) -> Result<UsageReport, GatewayError> {
    collect(sources, question, now).await.map_err(GatewayError::StoreDown)
}

async fn collect(
    sources: &Sources<'_>,
    question: &Question,
    now: Timestamp,
) -> Result<UsageReport, StoreError> {
    let (as_of, rollups) = rollups(sources, question, now).await?;
    report(&rollups, question.grouping, as_of).map_err(|error| StoreError::Rejected(error.to_string()))
}

/// The rollups that answer `question`, and as of when.
pub(super) async fn rollups(
    sources: &Sources<'_>,
    question: &Question,
    now: Timestamp,
) -> Result<(Timestamp, Vec<Rollup>), StoreError> {
    let folded = sources.rollups.folded().await?;
    let hours = question.since.hour()..question.until.map_or(i64::MAX, Timestamp::hour);
    let seam = folded.map_or(hours.start, |at| at.hour() - MARGIN_HOURS).min(now.hour());
    let seam = seam.clamp(hours.start, hours.end.max(hours.start));
    let recent = recent(sources, question, seam..hours.end).await?;
    let (as_of, seam, mut rollups) = match recent {
        Some(recent) => (now, seam, recent),
        None => (folded.unwrap_or_default(), hours.end, Vec::new()),
    };
    for key in &question.keys {
        rollups.extend(sources.rollups.of_key(key, hours.start..seam).await?);
    }
    Ok((as_of, rollups))
}

/// The rollups of `hours` as the ledger has them; none when that would be too much to read.
async fn recent(
    sources: &Sources<'_>,
    question: &Question,
    hours: Range<i64>,
) -> Result<Option<Vec<Rollup>>, StoreError> {
    let since = question.since.max(Timestamp::of_hour(hours.start));
    let (mut fold, mut left) = (Fold::default(), LINES_MAX);
    for key in question.keys.iter().filter(|_| !hours.is_empty()) {
        let lines = sources.ledger.of_key(key, since, left).await?;
        left = left.saturating_sub(lines.len());
        if left == 0 {
            return Ok(None);
        }
        let asked = lines.iter().filter(|line| line.request.at().hour() < hours.end);
        for line in asked {
            fold.add(line).map_err(|error| StoreError::Rejected(error.to_string()))?;
        }
    }
    fold.rollups().map(Some).map_err(|error| StoreError::Rejected(error.to_string()))
}
