//! Reads that several adapters share.

use super::clients::Clients;
use super::errors::store_error;
use super::item::{Item, s};
use crate::ports::StoreError;

/// One item, by a strongly consistent read.
pub(super) async fn item(clients: &Clients, table: &str, key: Item) -> Result<Option<Item>, StoreError> {
    let get = clients.patient.get_item().table_name(table).set_key(Some(key)).consistent_read(true);
    Ok(get.send().await.map_err(store_error)?.item)
}

/// All items of a partition, by strongly consistent reads.
pub(super) async fn partition(clients: &Clients, table: &str, pk: &str) -> Result<Vec<Item>, StoreError> {
    let mut pages = clients
        .patient
        .query()
        .table_name(table)
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", s(pk))
        .consistent_read(true)
        .into_paginator()
        .send();
    let mut items = Vec::new();
    while let Some(page) = pages.next().await {
        items.extend(page.map_err(store_error)?.items.unwrap_or_default());
    }
    Ok(items)
}
