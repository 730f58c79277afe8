//! The outbox, on the usage table. An alert is the item `#alert#<id>`; the partition `#alerts` names each
//! by the time when it was first seen, so that it can be listed. No key's id begins so.
//!
//! The place in the list is written after the alert, and again by whoever raises it the next time, until
//! the alert says that it is listed: who dies in between loses nothing, since what raised it still stands.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use futures_util::future::try_join_all;

use super::change::{self, Put};
use super::clients::Clients;
use super::errors::store_error;
use super::expression::Expression;
use super::item::{Item, from_item, int, key, n, s, text, to_item};
use super::read;
use crate::domain::alert::{Alert, AlertId, AlertPlace, Entry};
use crate::domain::time::Timestamp;
use crate::ports::{AlertPage, AlertQuery, Outbox, RaiseAlert, ReadAlerts, StoreError};

const LIST: &str = "#alerts";
/// Alerts that are read side by side.
const AT_ONCE: usize = 16;
/// How long an alert is kept after it was first seen: past the end of any period but the total.
const KEPT: Duration = Duration::from_secs(100 * 86_400);

#[derive(Clone, Debug)]
pub struct DynamoAlerts {
    clients: Clients,
    table: String,
}

impl DynamoAlerts {
    /// `table` is the usage table.
    pub fn new(clients: Clients, table: String) -> Self {
        DynamoAlerts { clients, table }
    }

    async fn list(&self, alert: &Alert, is_done: bool) -> Result<(), StoreError> {
        let mut expression = Expression::default();
        expression.set("done", "done", aws_sdk_dynamodb::types::AttributeValue::Bool(is_done));
        expression.set("alert", "alert", s(alert.id.as_str()));
        expression.set("expiresAt", "expires", n(expires(alert.at)));
        // Always met: what is done stays so, and is not listed as open again by who comes late.
        match is_done {
            true => expression.absent_or("pk", "pk", "=", "list", s(LIST)),
            false => expression.absent("pk"),
        }
        change::change(&self.clients, &self.table, key(LIST, alert.place().to_string()), expression)
            .await
            .map(|_| ())
    }

    /// The list from `since` to `last`, both included.
    fn query(&self, since: Timestamp, last: Option<&AlertPlace>) -> QueryFluentBuilder {
        // No place begins with a letter.
        let last = last.map_or_else(|| "a".to_owned(), AlertPlace::to_string);
        self.clients
            .patient
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :list AND sk BETWEEN :since AND :last")
            .expression_attribute_values(":list", s(LIST))
            .expression_attribute_values(":since", s(format!("{:015}", since.millis().max(0))))
            .expression_attribute_values(":last", s(last))
    }

    /// The alerts that a page of the list names, in its order.
    async fn named(&self, page: &[Item]) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        for some in page.chunks(AT_ONCE) {
            let found = some.iter().map(|item| async move {
                let item = read::item(&self.clients, &self.table, own(text(item, "alert")?)).await?;
                Ok::<_, StoreError>(item.and_then(|item| readable(&item)))
            });
            entries.extend(try_join_all(found).await?.into_iter().flatten());
        }
        Ok(entries)
    }
}

#[async_trait]
impl RaiseAlert for DynamoAlerts {
    async fn raise(&self, alert: &Alert) -> Result<bool, StoreError> {
        let mut absent = Expression::default();
        absent.absent("pk");
        let put =
            change::put(&self.clients, &self.table, stored(&Entry::new(alert.clone()))?, absent).await?;
        let (listed, is_new) = match put {
            Put::Done => (alert.clone(), true),
            Put::Refused(Some(standing)) if standing.contains_key("listed") => return Ok(false),
            Put::Refused(Some(standing)) => (entry(&standing)?.alert, false),
            Put::Refused(None) => {
                return Err(StoreError::NoReply("the alert that stands is not told".to_owned()));
            }
        };
        self.list(&listed, false).await?;
        let mut note = Expression::default();
        note.set("listed", "listed", n(1));
        note.exists("pk");
        change::change(&self.clients, &self.table, own(alert.id.as_str()), note).await?;
        Ok(is_new)
    }
}

#[async_trait]
impl ReadAlerts for DynamoAlerts {
    async fn latest(&self, asked: &AlertQuery) -> Result<AlertPage, StoreError> {
        let (since, before) = (asked.since, asked.before.as_ref());
        if before.is_some_and(|before| before.at < since) {
            return Ok(AlertPage::default());
        }
        // One more than asked tells whether there is another page; another is the end, which is left out.
        let limit = i32::try_from(asked.most.saturating_add(2)).unwrap_or(i32::MAX);
        let page = self.query(since, before).scan_index_forward(false).limit(limit).send().await;
        let mut items = page.map_err(store_error)?.items.unwrap_or_default();
        let end = before.map(AlertPlace::to_string);
        items.retain(|item| text(item, "sk").ok() != end.as_deref());
        let is_cut = items.len() > asked.most;
        items.truncate(asked.most);
        let next = items.last().filter(|_| is_cut).map(place).transpose()?;
        Ok(AlertPage { entries: self.named(&items).await?, next })
    }

    async fn find_alert(&self, id: &AlertId) -> Result<Option<Entry>, StoreError> {
        let found = read::item(&self.clients, &self.table, own(id.as_str())).await?;
        found.as_ref().map(entry).transpose()
    }
}

#[async_trait]
impl Outbox for DynamoAlerts {
    async fn open_alerts(&self, since: Timestamp) -> Result<Vec<Entry>, StoreError> {
        let query = self
            .query(since, None)
            .filter_expression("#done = :no")
            .expression_attribute_names("#done", "done");
        let no = aws_sdk_dynamodb::types::AttributeValue::Bool(false);
        let mut pages = query.expression_attribute_values(":no", no).into_paginator().send();
        let mut entries = Vec::new();
        while let Some(page) = pages.next().await {
            entries.extend(self.named(page.map_err(store_error)?.items()).await?);
        }
        entries.retain(|entry| !entry.done);
        Ok(entries)
    }

    async fn swap_alert(&self, entry: &Entry) -> Result<bool, StoreError> {
        let mut same = Expression::default();
        same.compare("version", "=", "before", n(entry.version));
        let next = Entry { version: entry.version.saturating_add(1), ..entry.clone() };
        let mut item = stored(&next)?;
        item.insert("listed".to_owned(), n(1));
        let put = change::put(&self.clients, &self.table, item, same).await?;
        let is_swapped = matches!(put, Put::Done);
        if is_swapped && entry.done {
            self.list(&entry.alert, true).await?;
        }
        Ok(is_swapped)
    }
}

fn stored(entry: &Entry) -> Result<Item, StoreError> {
    let mut item =
        Item::from([("entry".to_owned(), aws_sdk_dynamodb::types::AttributeValue::M(to_item(entry)?))]);
    item.extend(own(entry.alert.id.as_str()));
    item.insert("version".to_owned(), n(entry.version));
    item.insert("expiresAt".to_owned(), n(expires(entry.alert.at)));
    Ok(item)
}

fn entry(item: &Item) -> Result<Entry, StoreError> {
    let document = item.get("entry").and_then(|value| value.as_m().ok());
    let mut entry: Entry = from_item(document.ok_or_else(|| super::item::malformed("entry"))?)?;
    entry.version = u64::try_from(int(item, "version")?).unwrap_or(0);
    Ok(entry)
}

/// What cannot be read, because a later version wrote it, must not keep back the others.
fn readable(item: &Item) -> Option<Entry> {
    let unreadable = |error: &StoreError| {
        let alert = text(item, "pk").unwrap_or_default();
        tracing::error!(%error, alert, "an alert cannot be read");
    };
    entry(item).inspect_err(unreadable).ok()
}

fn own(id: &str) -> Item {
    key(format!("#alert#{id}"), "#")
}

fn place(item: &Item) -> Result<AlertPlace, StoreError> {
    text(item, "sk")?.parse().map_err(|_| super::item::malformed("sk"))
}

fn expires(at: Timestamp) -> i64 {
    (at + KEPT).seconds()
}
