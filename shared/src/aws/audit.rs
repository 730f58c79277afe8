//! The audit log, on the control table: a partition for each month, sort key the entry's id. What came
//! of an entry is an item of its own behind it, so that nothing here is ever changed.

use std::collections::HashMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::change::{self, Put};
use super::clients::Clients;
use super::errors::store_error;
use super::expression::Expression;
use super::item::{Item, from_item, key, malformed, s, text, to_item};
use crate::domain::audit::{AuditEntry, AuditId, Outcome, Recorded};
use crate::domain::time::{Period, Timestamp};
use crate::ports::{AuditLog, AuditPage, AuditQuery, StoreError};

/// Follows the id of an entry in the sort key of its outcome, and sorts behind it.
const END: &str = "#end";
/// Queries of one page: months without an entry cost one each.
const READS_MAX: usize = 24;
/// Items that a query looks at.
const ITEMS: i32 = 500;

#[derive(Clone, Debug)]
pub struct DynamoAuditLog {
    clients: Clients,
    table: String,
}

/// The outcome's item, as a document.
#[derive(Serialize, Deserialize)]
struct End {
    outcome: Outcome,
}

impl DynamoAuditLog {
    /// `table` is the control table.
    pub fn new(clients: Clients, table: String) -> Self {
        DynamoAuditLog { clients, table }
    }

    /// The item that stands where `item` was to be put, if it is another.
    async fn put_once(&self, item: Item) -> Result<Option<Item>, StoreError> {
        let mut absent = Expression::default();
        absent.absent("pk");
        match change::put(&self.clients, &self.table, item, absent).await? {
            Put::Done => Ok(None),
            Put::Refused(standing) => Ok(standing),
        }
    }

    /// Items from `newest` down to `oldest`, which lie in one month, and the last one where there may be more.
    async fn span(
        &self,
        (oldest, newest): (AuditId, AuditId),
        subject: Option<&String>,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let mut query = self
            .clients
            .patient
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :month AND sk BETWEEN :oldest AND :newest")
            .expression_attribute_values(":month", s(partition(newest.at())))
            .expression_attribute_values(":oldest", s(oldest.to_string()))
            .expression_attribute_values(":newest", s(format!("{newest}{END}")))
            .scan_index_forward(false)
            .limit(ITEMS)
            .consistent_read(true);
        if let Some(subject) = subject {
            query = query
                .filter_expression("#subject = :subject OR attribute_not_exists(#subject)")
                .expression_attribute_names("#subject", "subject")
                .expression_attribute_values(":subject", s(subject));
        }
        let found = query.send().await.map_err(store_error)?;
        Ok((found.items.unwrap_or_default(), found.last_evaluated_key))
    }
}

#[async_trait]
impl AuditLog for DynamoAuditLog {
    async fn append(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut item = to_item(entry)?;
        item.extend(key(partition(entry.id.at()), entry.id.to_string()));
        let standing = self.put_once(item).await?.map(|standing| from_item::<AuditEntry>(&standing));
        match standing.transpose()? {
            // The first of two attempts landed, and its answer was lost.
            Some(standing) if standing != *entry => {
                Err(StoreError::Rejected(format!("the entry {} exists", entry.id)))
            }
            _ => Ok(()),
        }
    }

    async fn conclude(&self, id: AuditId, outcome: Outcome) -> Result<(), StoreError> {
        let mut item = to_item(&End { outcome })?;
        item.extend(key(partition(id.at()), format!("{id}{END}")));
        self.put_once(item).await.map(|_| ())
    }

    async fn page(&self, asked: &AuditQuery) -> Result<AuditPage, StoreError> {
        let (mut entries, mut ends) = (Vec::new(), HashMap::new());
        let mut before = asked.before;
        for _ in 0..READS_MAX {
            let newest = before.previous();
            let start = Period::Month.starts_at(newest.at()).max(asked.since);
            let oldest = AuditId::first_at(start);
            if newest < oldest {
                return Ok(AuditPage { entries, next: None });
            }
            let (items, last) = self.span((oldest, newest), asked.subject.as_ref()).await?;
            for item in &items {
                let Some(recorded) = read(item, &mut ends)? else { continue };
                if entries.len() == asked.most {
                    let next = entries.last().map(|last: &Recorded| last.entry.id);
                    return Ok(AuditPage { entries, next });
                }
                entries.push(recorded);
            }
            if last.is_none() && start == asked.since {
                return Ok(AuditPage { entries, next: None });
            }
            before = last.as_ref().map(below).transpose()?.unwrap_or(oldest);
        }
        Ok(AuditPage { entries, next: Some(before) })
    }
}

/// Where to go on after an item: the entry of an outcome is still to come.
fn below(last: &Item) -> Result<AuditId, StoreError> {
    let id = id_of(last)?;
    Ok(if text(last, "sk")?.ends_with(END) { id.following() } else { id })
}

/// An entry with its outcome, which was read just before it. An outcome alone is remembered.
fn read(item: &Item, ends: &mut HashMap<AuditId, Outcome>) -> Result<Option<Recorded>, StoreError> {
    let id = id_of(item)?;
    if text(item, "sk")?.ends_with(END) {
        ends.insert(id, from_item::<End>(item)?.outcome);
        return Ok(None);
    }
    Ok(Some(Recorded { entry: from_item(item)?, outcome: ends.remove(&id) }))
}

fn id_of(item: &Item) -> Result<AuditId, StoreError> {
    let sk = text(item, "sk")?;
    sk.strip_suffix(END).unwrap_or(sk).parse().map_err(|_| malformed("sk"))
}

/// The partition of the month that a moment lies in.
fn partition(at: Timestamp) -> String {
    format!("#audit#{}", &at.date()[..7])
}
