//! Every vector of the cache table, for a store that is filled from it. No deployed function may
//! scan the table.

use super::errors::store_error;
use super::item::{Item, int, malformed, s, text};
use super::vector_index::{PARTITION, VECTOR};
use super::vectors::{DynamoVectors, PREFIX};
use crate::domain::time::Timestamp;
use crate::ports::{StoreError, VectorRecord};

impl DynamoVectors {
    /// All records that stand, in no order, by eventually consistent reads. What cannot be read is
    /// left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all(&self) -> Result<Vec<VectorRecord>, StoreError> {
        let mut pages = self
            .clients
            .patient
            .scan()
            .table_name(&self.table)
            .filter_expression("begins_with(pk, :prefix) AND attribute_exists(#vector)")
            .expression_attribute_names("#vector", VECTOR)
            .expression_attribute_values(":prefix", s(PREFIX))
            .into_paginator()
            .send();
        let mut records = Vec::new();
        while let Some(page) = pages.next().await {
            let items = page.map_err(store_error)?.items.unwrap_or_default();
            records.extend(items.iter().filter_map(|item| record(item).ok()));
        }
        Ok(records)
    }
}

fn record(item: &Item) -> Result<VectorRecord, StoreError> {
    let id = text(item, "pk")?.strip_prefix(PREFIX).ok_or_else(|| malformed("pk"))?;
    let vector = item.get(VECTOR).and_then(|value| value.as_l().ok()).ok_or_else(|| malformed(VECTOR))?;
    let component = |value: &aws_sdk_dynamodb::types::AttributeValue| {
        value.as_n().ok().and_then(|number| number.parse().ok()).ok_or_else(|| malformed(VECTOR))
    };
    Ok(VectorRecord {
        partition: text(item, PARTITION)?.to_owned(),
        id: id.to_owned(),
        vector: vector.iter().map(component).collect::<Result<Vec<f32>, StoreError>>()?,
        expires: Timestamp::from_millis(int(item, "expires")?),
        payload: text(item, "payload")?.to_owned(),
    })
}
