//! Transactions, and waiting them out. Late settlements are some, and counts of comparisons.

use std::time::Duration;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};

use super::clients::Clients;
use super::errors::store_error;
use crate::ports::StoreError;

/// Tries in all before a conflict is reported.
pub(super) const TRIES: u32 = 6;
const FIRST_MILLIS: u64 = 8;

/// Writes everything or nothing. False where one of the writes does not meet its condition.
pub(super) async fn transact(clients: &Clients, writes: Vec<TransactWriteItem>) -> Result<bool, StoreError> {
    for attempt in 0..TRIES {
        match try_transact(clients, writes.clone()).await? {
            Some(written) => return Ok(written),
            None => back_off(attempt).await,
        }
    }
    Err(StoreError::Rejected("the transaction met others all the time".to_owned()))
}

/// One try; `None` when another transaction was at the same items.
async fn try_transact(clients: &Clients, writes: Vec<TransactWriteItem>) -> Result<Option<bool>, StoreError> {
    let sent = clients.patient.transact_write_items().set_transact_items(Some(writes)).send().await;
    let Err(error) = sent else { return Ok(Some(true)) };
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
    else {
        return Err(store_error(error));
    };
    let any = |code: &str| {
        let has = |reason: &CancellationReason| reason.code() == Some(code);
        cancelled.cancellation_reasons().iter().any(has)
    };
    match (any("ConditionalCheckFailed"), any("TransactionConflict")) {
        (true, _) => Ok(Some(false)),
        (false, true) => Ok(None),
        (false, false) => Err(store_error(error)),
    }
}

/// Sleeps a random time below a bound that doubles with every try.
pub(super) async fn back_off(attempt: u32) {
    let mut random = [0_u8; 8];
    // Without randomness the whole bound is waited, which is only less polite.
    let fraction = match getrandom::fill(&mut random) {
        Ok(()) => u64::from_le_bytes(random),
        Err(_) => u64::MAX,
    };
    let bound = FIRST_MILLIS << attempt.min(5);
    let micros = fraction.checked_rem(bound * 1000).unwrap_or(0);
    tokio::time::sleep(Duration::from_micros(micros)).await;
}
