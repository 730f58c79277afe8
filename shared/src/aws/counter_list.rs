//! The listing of counters that are in use: a scan of the budgets table, which belongs on no
//! request's path.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;

use super::clients::Clients;
use super::counter_item::{read_counter, read_key};
use super::errors::store_error;
use super::item::{Item, key, n, s, text};
use crate::domain::counter::{Counter, CounterKey};
use crate::domain::time::{Period, Timestamp};
use crate::ports::{CounterPage, ListCounters, Mark, StoreError};

#[derive(Clone, Debug)]
pub struct DynamoCounterList {
    clients: Clients,
    table: String,
    page: i32,
}

impl DynamoCounterList {
    /// Items that a page looks at, unless told otherwise.
    pub const PAGE: i32 = 1_000;

    /// `table` is the budgets table; a page looks at `page` of its items.
    pub fn new(clients: Clients, table: String, page: i32) -> Self {
        DynamoCounterList { clients, table, page }
    }
}

#[async_trait]
impl ListCounters for DynamoCounterList {
    async fn in_use(&self, now: Timestamp, from: Option<&Mark>) -> Result<CounterPage, StoreError> {
        let labels = Period::labels_around(now).into_iter().enumerate();
        let labels: HashMap<String, AttributeValue> =
            labels.map(|(at, label)| (format!(":label{at}"), s(label))).collect();
        let names: Vec<&str> = labels.keys().map(String::as_str).collect();
        let filter = format!(
            "size(#live) > :none OR (#sk IN ({}) AND (#remaining < #cap OR attribute_exists(#refusedAt)))",
            names.join(", ")
        );
        let mut scan = self.clients.patient.scan().table_name(&self.table).limit(self.page);
        for name in ["live", "sk", "remaining", "cap", "refusedAt"] {
            scan = scan.expression_attribute_names(format!("#{name}"), name);
        }
        let found = scan
            .set_exclusive_start_key(from.map(start).transpose()?)
            .filter_expression(filter)
            .set_expression_attribute_values(Some(labels))
            .expression_attribute_values(":none", n(0))
            .send()
            .await
            .map_err(store_error)?;
        let counters = found.items().iter().filter_map(readable).collect();
        let next = found.last_evaluated_key().map(mark).transpose()?;
        Ok(CounterPage { counters, next })
    }
}

/// One item that cannot be read must not keep the others from being swept.
fn readable(item: &Item) -> Option<(CounterKey, Counter)> {
    let read = text(item, "pk").and_then(|pk| Ok((pk, text(item, "sk")?, read_counter(item)?)));
    match read {
        Ok((pk, sk, counter)) => Some((read_key(pk, sk)?, counter)),
        Err(error) => {
            tracing::error!(%error, key = ?item.get("pk"), "a counter with open holds cannot be read");
            None
        }
    }
}

/// The last key of a page, as a list in JSON.
fn mark(last: &Item) -> Result<Mark, StoreError> {
    Ok(Mark(serde_json::json!([text(last, "pk")?, text(last, "sk")?]).to_string()))
}

fn start(mark: &Mark) -> Result<std::collections::HashMap<String, AttributeValue>, StoreError> {
    let read: Result<(String, String), _> = serde_json::from_str(&mark.0);
    let (pk, sk) = read.map_err(|_| StoreError::Rejected("no mark of this table".to_owned()))?;
    Ok(key(pk, sk))
}
