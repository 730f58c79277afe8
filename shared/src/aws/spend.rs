//! The last minute and the hours of keys, on the usage table: two items in the partition of the key's
//! rollups, with sort keys that are no hour. They are apart because a write costs by the size of the whole
//! item: the minute is written often and small, the hours are several kilobytes and written once an hour.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use super::clients::Clients;
use super::errors::store_error;
use super::item::{Item, from_item, key, malformed, s, to_item};
use crate::domain::anomaly::{History, Part};
use crate::domain::partition::Partition;
use crate::ports::{KeepSpend, StoreError};

const MINUTE: &str = "#minute";
const HISTORY: &str = "#history";
/// Begins the name of each attribute that holds what is of one partition.
const PART: &str = "of-";

#[derive(Clone, Debug)]
pub struct DynamoSpend {
    clients: Clients,
    table: String,
}

impl DynamoSpend {
    /// `table` is the usage table.
    pub fn new(clients: Clients, table: String) -> Self {
        DynamoSpend { clients, table }
    }
}

#[async_trait]
impl KeepSpend for DynamoSpend {
    async fn put_part(
        &self,
        key_id: &str,
        partition: &Partition,
        part: &Part,
    ) -> Result<Vec<Part>, StoreError> {
        let text = serde_json::to_string(part).map_err(|error| StoreError::Rejected(error.to_string()))?;
        let written = self
            .clients
            .patient
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(key_id, MINUTE)))
            .update_expression("SET #part = :held")
            // A minute touches two hours, so the parts of two hours take turns.
            .expression_attribute_names("#part", format!("{PART}{}-{}", partition.hour % 2, partition.shard))
            .expression_attribute_values(":held", s(text))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(store_error)?;
        written.attributes().map_or(Ok(Vec::new()), all_parts)
    }

    async fn history(&self, key_id: &str) -> Result<Option<History>, StoreError> {
        let found = self
            .clients
            .patient
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(key_id, HISTORY)))
            .send()
            .await
            .map_err(store_error)?;
        found.item().map(from_item).transpose()
    }

    async fn put_history(&self, key_id: &str, history: &History) -> Result<(), StoreError> {
        let mut item = to_item(history)?;
        item.extend(key(key_id, HISTORY));
        let put = self.clients.patient.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map(|_| ()).map_err(store_error)
    }
}

fn all_parts(item: &Item) -> Result<Vec<Part>, StoreError> {
    let parts = item.iter().filter(|(name, _)| name.starts_with(PART));
    let read = |(name, value): (&String, &AttributeValue)| -> Result<Part, StoreError> {
        let text = value.as_s().map_err(|_| malformed(name))?;
        serde_json::from_str(text).map_err(|_| malformed(name))
    };
    parts.map(read).collect()
}
