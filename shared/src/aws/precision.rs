//! The measured precision, on the cache table: partition `precision#<tenant>`, one item for each day
//! and model, and one item for each comparison that was counted.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};

use super::clients::Clients;
use super::conflict;
use super::errors::store_error;
use super::item::{int, key, n, s, text};
use crate::domain::cache::CacheKey;
use crate::domain::time::{Period, Timestamp};
use crate::ports::{MeasurePrecision, Precision, StoreError};

/// How long it is known that a comparison was counted: as long as a queue keeps its messages.
const REMEMBERED: Duration = Duration::from_secs(14 * 86_400);

#[derive(Clone, Debug)]
pub struct DynamoPrecision {
    clients: Clients,
    table: String,
}

impl DynamoPrecision {
    /// `table` is the cache table.
    pub fn new(clients: Clients, table: String) -> Self {
        DynamoPrecision { clients, table }
    }

    fn once(&self, fresh: &CacheKey, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(key(format!("compared#{fresh}"), "compared")))
            .item("expiresAt", n((now + REMEMBERED).seconds()))
            .condition_expression("attribute_not_exists(pk) OR expiresAt <= :now")
            .expression_attribute_values(":now", n(now.seconds()))
            .build()
            .map_err(incomplete)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn sum(
        &self,
        tenant: &str,
        model: &str,
        agreed: bool,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(partition(tenant), format!("{}#{model}", day(now)))))
            .update_expression(
                "SET #model = :model, compared = if_not_exists(compared, :zero) + :one, \
                 agreed = if_not_exists(agreed, :zero) + :agreed",
            )
            .expression_attribute_names("#model", "model")
            .expression_attribute_values(":model", s(model))
            .expression_attribute_values(":zero", n(0))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":agreed", n(u8::from(agreed)))
            .build()
            .map_err(incomplete)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

#[async_trait]
impl MeasurePrecision for DynamoPrecision {
    async fn compared(
        &self,
        tenant: &str,
        model: &str,
        fresh: &CacheKey,
        agreed: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let writes = vec![self.once(fresh, now)?, self.sum(tenant, model, agreed, now)?];
        // What is refused was counted before.
        conflict::transact(&self.clients, writes).await.map(|_| ())
    }

    async fn precision(
        &self,
        tenant: &str,
        since: Timestamp,
    ) -> Result<Vec<(String, Precision)>, StoreError> {
        let mut pages = self
            .clients
            .patient
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk >= :since")
            .expression_attribute_values(":pk", s(partition(tenant)))
            .expression_attribute_values(":since", s(day(since)))
            .into_paginator()
            .send();
        let mut sums: BTreeMap<String, Precision> = BTreeMap::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(store_error)?.items() {
                let sum = sums.entry(text(item, "model")?.to_owned()).or_default();
                sum.compared += u64::try_from(int(item, "compared")?).unwrap_or(0);
                sum.agreed += u64::try_from(int(item, "agreed")?).unwrap_or(0);
            }
        }
        Ok(sums.into_iter().collect())
    }
}

fn partition(tenant: &str) -> String {
    format!("precision#{tenant}")
}

/// In the order of time.
fn day(at: Timestamp) -> String {
    Period::Day.starts_at(at).date()
}

fn incomplete(error: impl std::fmt::Display) -> StoreError {
    StoreError::Rejected(error.to_string())
}
