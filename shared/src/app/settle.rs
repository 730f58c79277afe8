//! Settlement: the ledger line first, then every counter closed at what the line says.
//!
//! Every step may be repeated, reordered or finished by somebody else. Source: hold protocol,
//! steps 4 and 6, ARCHITECTURE.md.

use futures_util::future::try_join_all;

use super::App;
use crate::domain::ledger::LedgerLine;
use crate::domain::settlement::{closes, is_late};
use crate::ports::{Counters, PutLine, StoreError, WriteLedger};

/// How a settlement left the request path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    Now,
    /// Handed to the queue; whoever reads it finishes.
    Queued,
    /// Neither store nor queue took it: the hold stays until it is swept, and nothing is lost.
    LeftToSweep,
}

/// Settles within [`super::Tuning::settle`], else sends the settle command to the queue.
pub async fn settle_in_time(app: &App, line: &LedgerLine) -> Settled {
    let limit = app.tuning.settle;
    let settling = settle(app.counters.as_ref(), app.ledger.as_ref(), line);
    let why = match tokio::time::timeout(limit, settling).await {
        Ok(Ok(())) => return Settled::Now,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "settlement took too long".to_owned(),
    };
    tracing::warn!(attempt = %line.id, why, "settlement goes to the queue");
    match tokio::time::timeout(limit, app.settle_queue.send(line)).await {
        Ok(Ok(())) => Settled::Queued,
        Ok(Err(error)) => {
            tracing::error!(attempt = %line.id, %error, "settlement is left to the sweep");
            Settled::LeftToSweep
        }
        Err(_) => {
            tracing::error!(attempt = %line.id, "the queue did not answer; settlement is left to the sweep");
            Settled::LeftToSweep
        }
    }
}

/// SETTLE and LATE SETTLE. Safe to call any number of times with the same line.
///
/// # Errors
/// [`StoreError`] when a step did not succeed; calling again finishes it.
pub async fn settle(
    counters: &dyn Counters,
    ledger: &dyn WriteLedger,
    line: &LedgerLine,
) -> Result<(), StoreError> {
    let standing = match ledger.put(line).await? {
        PutLine::Inserted => line.clone(),
        PutLine::Existing(standing) => *standing,
    };
    close_all(counters, &standing).await?;
    if is_late(&standing, line) {
        // What refuses the correction is a correction by somebody else; every hold is closed by now.
        ledger.correct(&standing, line).await?;
    }
    Ok(())
}

/// CLOSE every counter at its share of the line that won.
///
/// # Errors
/// The first [`StoreError`]; calling again finishes it.
pub(super) async fn close_all(counters: &dyn Counters, line: &LedgerLine) -> Result<(), StoreError> {
    let writes = closes(line);
    try_join_all(writes.iter().map(|write| counters.close(write))).await.map(|_| ())
}
