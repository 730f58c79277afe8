//! Marks, on the cache table: partition `marks`, one item for each tenant and selector, and one for
//! each model with what it last called itself. All of them are read by one query.

use async_trait::async_trait;
use serde_json::json;

use super::change;
use super::clients::Clients;
use super::item::{Item, from_item, key, n, text, to_item};
use super::read;
use crate::domain::cache::{CacheKey, Mark, Marks, Served};
use crate::domain::time::Timestamp;
use crate::ports::{CacheMarks, StoreError};

const PARTITION: &str = "marks";
const SERVED: &str = "served#";

#[derive(Clone, Debug)]
pub struct DynamoMarks {
    clients: Clients,
    table: String,
}

impl DynamoMarks {
    /// `table` is the cache table.
    pub fn new(clients: Clients, table: String) -> Self {
        DynamoMarks { clients, table }
    }

    /// Puts an item unless a later one stands there.
    async fn put_unless_later(&self, item: Item, at: Timestamp) -> Result<(), StoreError> {
        change::put_unless_greater(&self.clients, &self.table, item, "at", at.millis()).await
    }
}

#[async_trait]
impl CacheMarks for DynamoMarks {
    async fn read_marks(&self) -> Result<Marks, StoreError> {
        let mut marks = Marks::default();
        for item in read::partition(&self.clients, &self.table, PARTITION).await? {
            match text(&item, "sk")?.starts_with(SERVED) {
                true => marks.served.push(from_item(&item)?),
                false => marks.marks.push(from_item(&item)?),
            }
        }
        Ok(marks)
    }

    async fn mark(&self, mark: &Mark, expires: Timestamp) -> Result<(), StoreError> {
        // A tag and a tenant may be longer together than a key may be.
        let place = CacheKey::of(&json!([mark.tenant, mark.selector]));
        let mut item = to_item(mark)?;
        item.extend(key(PARTITION, format!("mark#{place}")));
        item.insert("expiresAt".to_owned(), n(expires.seconds().saturating_add(1)));
        self.put_unless_later(item, mark.at).await
    }

    async fn note_served(&self, served: &Served) -> Result<(), StoreError> {
        let mut item = to_item(served)?;
        item.extend(key(PARTITION, format!("{SERVED}{}", served.target)));
        self.put_unless_later(item, served.at).await
    }
}
