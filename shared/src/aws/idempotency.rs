//! Idempotency keys, on the cache table: partition `idempotency#<key>`, sort key `reply`.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;

use async_trait::async_trait;

use super::clients::Clients;
use super::errors::{Conditional, store_error};
use super::item::{Item, int, key, malformed, n, s, text};
use crate::domain::idempotency::{Claim, Claimed, Record, State, refused};
use crate::domain::time::Timestamp;
use crate::ports::{Idempotency, StoreError};

const IN_FLIGHT: &str = "in_flight";
const RELEASED: &str = "released";
const FINISHED: &str = "finished";

/// The domain's rule for a free key. The store deletes what is over at some later time, so the
/// times are compared here.
const IS_FREE: &str = "attribute_not_exists(pk) OR expiresAt <= :seconds OR progress = :released \
    OR (progress = :in_flight AND (leaseUntil <= :now OR claimant = :claimant))";
const IS_OURS: &str = "claimant = :claimant AND progress = :in_flight";

#[derive(Clone, Debug)]
pub struct DynamoIdempotency {
    clients: Clients,
    table: String,
}

impl DynamoIdempotency {
    /// `table` is the cache table.
    pub fn new(clients: Clients, table: String) -> Self {
        DynamoIdempotency { clients, table }
    }
}

#[async_trait]
impl Idempotency for DynamoIdempotency {
    async fn claim(&self, claim: &Claim, now: Timestamp) -> Result<Claimed<String>, StoreError> {
        let put = self
            .clients
            .patient
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item(claim, &State::InFlight)))
            .condition_expression(IS_FREE)
            .expression_attribute_values(":seconds", n(now.seconds()))
            .expression_attribute_values(":now", n(now.millis()))
            .expression_attribute_values(":released", s(RELEASED))
            .expression_attribute_values(":in_flight", s(IN_FLIGHT))
            .expression_attribute_values(":claimant", s(claim.request.to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match put {
            Ok(_) => Ok(Claimed::Started),
            Err(error) => match error.as_service_error().and_then(Conditional::refused) {
                Some(standing) => Ok(refused(record(standing.ok_or_else(|| malformed("progress"))?)?, claim)),
                None => Err(store_error(error)),
            },
        }
    }

    async fn conclude(&self, claim: &Claim, outcome: &State<String>) -> Result<(), StoreError> {
        let put = self
            .clients
            .patient
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item(claim, outcome)))
            .condition_expression(IS_OURS)
            .expression_attribute_values(":claimant", s(claim.request.to_string()))
            .expression_attribute_values(":in_flight", s(IN_FLIGHT))
            .send()
            .await;
        match put {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error().and_then(Conditional::refused) {
                Some(_) => Ok(()),
                None => Err(store_error(error)),
            },
        }
    }
}

fn item(claim: &Claim, state: &State<String>) -> Item {
    let mut item = key(format!("idempotency#{}", claim.key), "reply");
    let word = match state {
        State::InFlight => IN_FLIGHT,
        State::Released => RELEASED,
        State::Finished(_) => FINISHED,
    };
    item.insert("progress".to_owned(), s(word));
    item.insert("fingerprint".to_owned(), s(&claim.fingerprint));
    item.insert("claimant".to_owned(), s(claim.request.to_string()));
    item.insert("leaseUntil".to_owned(), n(claim.lease.millis()));
    item.insert("expiresAt".to_owned(), n(claim.expires.seconds()));
    if let State::Finished(Some(reply)) = state {
        item.insert("document".to_owned(), s(reply));
    }
    item
}

fn record(item: &Item) -> Result<Record<String>, StoreError> {
    let state = match text(item, "progress")? {
        IN_FLIGHT => State::InFlight,
        RELEASED => State::Released,
        FINISHED => State::Finished(
            item.contains_key("document").then(|| text(item, "document")).transpose()?.map(str::to_owned),
        ),
        _ => return Err(malformed("progress")),
    };
    Ok(Record {
        fingerprint: text(item, "fingerprint")?.to_owned(),
        request: text(item, "claimant")?.parse().map_err(|_| malformed("claimant"))?,
        lease: Timestamp::from_millis(int(item, "leaseUntil")?),
        expires: Timestamp::from_millis(int(item, "expiresAt")?.saturating_mul(1000)),
        state,
    })
}
