//! Rollups, on the usage table: partition the key's id, sort key hour and shard. Summaries lie by day,
//! sorted by hour, shard and tenant.

use std::ops::Range;

use async_trait::async_trait;

use super::change;
use super::clients::Clients;
use super::errors::store_error;
use super::item::{Item, from_item, int, key, n, s, to_item};
use crate::domain::rollup::{Rollup, Summary};
use crate::domain::time::Timestamp;
use crate::ports::{ReadRollups, StoreError, WriteRollups};

/// The item that says up to where lines are folded; no key has such an id.
const FOLDED: &str = "#folded";

#[derive(Clone, Debug)]
pub struct DynamoRollups {
    clients: Clients,
    table: String,
}

impl DynamoRollups {
    /// `table` is the usage table.
    pub fn new(clients: Clients, table: String) -> Self {
        DynamoRollups { clients, table }
    }

    /// Puts an item unless one that is greater by `measure` stands there.
    async fn put_unless_greater(&self, item: Item, measure: &str, own: i128) -> Result<(), StoreError> {
        change::put_unless_greater(&self.clients, &self.table, item, measure, own).await
    }
}

#[async_trait]
impl WriteRollups for DynamoRollups {
    async fn put(&self, rollup: &Rollup) -> Result<(), StoreError> {
        let mut item = to_item(rollup)?;
        item.extend(key(&rollup.key_id, place(rollup.hour, rollup.shard)));
        self.put_unless_greater(item, "version", i128::from(rollup.version)).await
    }

    async fn put_summary(&self, summary: &Summary) -> Result<(), StoreError> {
        let mut item = to_item(summary)?;
        let place = format!("{}#{}", place(summary.hour, summary.shard), summary.tenant);
        item.extend(key(of_day(summary.hour.div_euclid(24)), place));
        self.put_unless_greater(item, "version", i128::from(summary.version)).await
    }

    async fn note_folded(&self, at: Timestamp) -> Result<(), StoreError> {
        let mut item = key(FOLDED, FOLDED);
        item.insert("at".to_owned(), n(at.millis()));
        self.put_unless_greater(item, "at", i128::from(at.millis())).await
    }
}

#[async_trait]
impl ReadRollups for DynamoRollups {
    async fn of_key(&self, key_id: &str, hours: Range<i64>) -> Result<Vec<Rollup>, StoreError> {
        if hours.is_empty() {
            return Ok(Vec::new());
        }
        let mut pages = self
            .clients
            .patient
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :key AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":key", s(key_id))
            .expression_attribute_values(":first", s(place(hours.start, 0)))
            .expression_attribute_values(":last", s(place(hours.end - 1, u8::MAX)))
            .into_paginator()
            .send();
        let mut rollups = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(store_error)?.items() {
                rollups.push(from_item(item)?);
            }
        }
        Ok(rollups)
    }

    async fn of_day(&self, day: i64) -> Result<Vec<Summary>, StoreError> {
        let query =
            self.clients.patient.query().table_name(&self.table).key_condition_expression("pk = :day");
        let mut pages = query.expression_attribute_values(":day", s(of_day(day))).into_paginator().send();
        let mut summaries = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(store_error)?.items() {
                summaries.push(from_item(item)?);
            }
        }
        Ok(summaries)
    }

    async fn folded(&self) -> Result<Option<Timestamp>, StoreError> {
        let found = self
            .clients
            .patient
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(FOLDED, FOLDED)))
            .send()
            .await
            .map_err(store_error)?;
        let at = found.item().map(|item| int(item, "at")).transpose()?;
        Ok(at.map(Timestamp::from_millis))
    }
}

/// No key has such an id.
fn of_day(day: i64) -> String {
    format!("#day#{day}")
}

/// Padded, so that the order of texts is that of numbers.
fn place(hour: i64, shard: u8) -> String {
    format!("{:010}#{shard:03}", hour.max(0))
}
