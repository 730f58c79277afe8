//! The ledger: one item a line, in the partition that its tenant and request give, sorted by request
//! and id, with amounts as whole numbers of nano-dollars.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};

use super::clients::Clients;
use super::conflict;
use super::counter_item::counter_key;
use super::counter_writes;
use super::errors::{Conditional, store_error};
use super::expression::Expression;
use super::item::{Item, from_item, int, key, n, s, to_item};
use super::read;
use crate::domain::id::AttemptId;
use crate::domain::ledger::LedgerLine;
use crate::domain::money::NanoUsd;
use crate::domain::partition::Partition;
use crate::domain::settlement::corrections;
use crate::domain::time::Timestamp;
use crate::ports::{LineMark, LinePage, PutLine, ReadLedger, StoreError, WriteLedger};

/// The index over the lines of one key: hash `keyId`, range `sk`, which begins with the request's
/// id and with that its time.
pub const KEY_INDEX: &str = "by-key";
/// Lines that a page of a partition has at most: a slow store gives so many within the time of one call.
const PAGE: i32 = 400;
/// Kept as numbers, though JSON shows them as decimal strings.
const AMOUNTS: [&str; 2] = ["amount", "reserved"];

#[derive(Clone, Debug)]
pub struct DynamoLedger {
    clients: Clients,
    ledger: String,
    budgets: String,
}

impl DynamoLedger {
    /// A correction changes a line and its counters in one transaction, hence both tables.
    pub fn new(clients: Clients, ledger: String, budgets: String) -> Self {
        DynamoLedger { clients, ledger, budgets }
    }

    fn query(&self) -> QueryFluentBuilder {
        self.clients.patient.query().table_name(&self.ledger)
    }

    fn correction(
        &self,
        estimated: &LedgerLine,
        exact: &LedgerLine,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let mut stands = Expression::default();
        stands.compare("quality", "=", "estimated", s("estimated"));
        stands.compare("amount", "=", "amount", n(estimated.amount.nano()));
        let line = Put::builder()
            .table_name(&self.ledger)
            .set_item(Some(line_item(exact)?))
            .condition_expression(stands.condition())
            .set_expression_attribute_names(Some(stands.names))
            .set_expression_attribute_values(Some(stands.values))
            .build()
            .map_err(|error| StoreError::Rejected(error.to_string()))?;
        let mut writes = vec![TransactWriteItem::builder().put(line).build()];
        for change in corrections(estimated, exact) {
            let give_back = counter_writes::correct(exact.id, change.estimated, change.exact);
            let update = Update::builder()
                .table_name(&self.budgets)
                .set_key(Some(counter_key(&change.key)))
                .update_expression(give_back.update())
                .condition_expression(give_back.condition())
                .set_expression_attribute_names(Some(give_back.names))
                .set_expression_attribute_values(Some(give_back.values))
                .build()
                .map_err(|error| StoreError::Rejected(error.to_string()))?;
            writes.push(TransactWriteItem::builder().update(update).build());
        }
        Ok(writes)
    }
}

#[async_trait]
impl WriteLedger for DynamoLedger {
    async fn put(&self, line: &LedgerLine) -> Result<PutLine, StoreError> {
        let item = line_item(line)?;
        for attempt in 0..conflict::TRIES {
            let sent = self
                .clients
                .patient
                .put_item()
                .table_name(&self.ledger)
                .set_item(Some(item.clone()))
                .condition_expression("attribute_not_exists(pk)")
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .send()
                .await;
            let Err(error) = sent else { return Ok(PutLine::Inserted) };
            let failed = error.as_service_error();
            match failed.and_then(Conditional::refused).flatten() {
                Some(standing) => return Ok(PutLine::Existing(Box::new(read_line(standing)?))),
                None if failed.is_some_and(Conditional::is_conflict) => conflict::back_off(attempt).await,
                None => return Err(store_error(error)),
            }
        }
        Err(StoreError::Rejected("the line was in a transaction all the time".to_owned()))
    }

    async fn find(&self, tenant: &str, line: LineMark) -> Result<Option<LedgerLine>, StoreError> {
        let partition = Partition::of(tenant, line.request);
        let found = read::item(
            &self.clients,
            &self.ledger,
            key(partition.to_string(), sort_key(line.request, line.id)),
        )
        .await?;
        found.as_ref().map(read_line).transpose()
    }

    async fn correct(&self, estimated: &LedgerLine, exact: &LedgerLine) -> Result<bool, StoreError> {
        conflict::transact(&self.clients, self.correction(estimated, exact)?).await
    }
}

#[async_trait]
impl ReadLedger for DynamoLedger {
    async fn of_key(
        &self,
        key_id: &str,
        since: Timestamp,
        most: usize,
    ) -> Result<Vec<LedgerLine>, StoreError> {
        let first = AttemptId::new(since, 0).to_string();
        let mut pages = self
            .query()
            .index_name(KEY_INDEX)
            .key_condition_expression("keyId = :key AND sk >= :first")
            .expression_attribute_values(":key", s(key_id))
            .expression_attribute_values(":first", s(first))
            .into_paginator()
            .send();
        let mut lines = Vec::new();
        while let Some(page) = pages.next().await {
            lines.extend(read_lines(page.map_err(store_error)?.items())?);
            if lines.len() >= most {
                break;
            }
        }
        lines.truncate(most);
        Ok(lines)
    }

    async fn page(&self, partition: &Partition, from: Option<&LineMark>) -> Result<LinePage, StoreError> {
        let name = partition.to_string();
        let start = from.map(|mark| key(name.clone(), sort_key(mark.request, mark.id)));
        let page = self
            .query()
            .key_condition_expression("pk = :partition")
            .expression_attribute_values(":partition", s(name))
            .consistent_read(true)
            .set_exclusive_start_key(start)
            .limit(PAGE)
            .send()
            .await
            .map_err(store_error)?;
        let lines = read_lines(page.items())?;
        let is_more = page.last_evaluated_key().is_some();
        let next =
            lines.last().filter(|_| is_more).map(|line| LineMark { request: line.request, id: line.id });
        Ok(LinePage { lines, next })
    }

    async fn of_request(&self, tenant: &str, request: AttemptId) -> Result<Vec<LedgerLine>, StoreError> {
        let mut pages = self
            .query()
            .key_condition_expression("pk = :partition AND begins_with(sk, :request)")
            .expression_attribute_values(":partition", s(Partition::of(tenant, request).to_string()))
            .expression_attribute_values(":request", s(request.to_string()))
            .consistent_read(true)
            .into_paginator()
            .send();
        let mut lines = Vec::new();
        while let Some(page) = pages.next().await {
            lines.extend(read_lines(page.map_err(store_error)?.items())?);
        }
        Ok(lines)
    }
}

/// Lines of one request lie together.
fn sort_key(request: AttemptId, id: AttemptId) -> String {
    format!("{request}#{id}")
}

fn read_lines(items: &[Item]) -> Result<Vec<LedgerLine>, StoreError> {
    items.iter().map(read_line).collect()
}

fn line_item(line: &LedgerLine) -> Result<Item, StoreError> {
    let mut item = to_item(line)?;
    item.insert("amount".to_owned(), n(line.amount.nano()));
    item.insert("reserved".to_owned(), n(line.reserved.nano()));
    item.extend(key(line.partition().to_string(), sort_key(line.request, line.id)));
    Ok(item)
}

fn read_line(item: &Item) -> Result<LedgerLine, StoreError> {
    let mut decimal = item.clone();
    for name in AMOUNTS {
        let amount = NanoUsd::from_nano(int(item, name)?);
        decimal.insert(name.to_owned(), s(amount.to_string()));
    }
    from_item(&decimal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::counter::{CounterKey, Part, ScopeKind};
    use crate::domain::ledger::{LINE_VERSION, Outcome, Quality};
    use crate::domain::notes::{CacheStatus, Near, Notes, Spent};
    use crate::domain::time::Period;
    use crate::domain::usage::TokenUsage;
    use aws_sdk_dynamodb::types::AttributeValue;

    /// A write unit, in bytes.
    const UNIT: usize = 1_024;

    /// What DynamoDB counts of a value, as its documentation says.
    fn bytes(value: &AttributeValue) -> usize {
        match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
            AttributeValue::L(list) => 3 + list.iter().map(|one| 1 + bytes(one)).sum::<usize>(),
            AttributeValue::M(map) => {
                3 + map.iter().map(|(name, one)| 1 + name.len() + bytes(one)).sum::<usize>()
            }
            _ => 1,
        }
    }

    #[test]
    fn a_line_with_its_notes_is_one_write_unit() {
        let at = Timestamp::from_millis(1_800_000_000_000);
        let id = AttemptId::new(at, 7);
        let part = |kind, id: &str| Part {
            counter: CounterKey::new(kind, id, Period::Month, at),
            amount: NanoUsd::from_nano(1_234_567),
        };
        let time = Some(1_234_567);
        let line = LedgerLine {
            version: LINE_VERSION,
            id,
            request: id,
            tenant: "a-tenant".to_owned(),
            key_id: "abcdefghijkl".to_owned(),
            user: Some("a-user".to_owned()),
            model: "anthropic/claude-3-5-sonnet".to_owned(),
            price: "anthropic/claude-3-5-sonnet@2024-06-20".to_owned(),
            quality: Quality::Estimated,
            amount: NanoUsd::from_nano(1_234_567),
            reserved: NanoUsd::from_nano(1_234_567),
            usage: TokenUsage { uncached: 12_345, output: 1_234, ..TokenUsage::NONE },
            outcome: Outcome::FailedUnbilled,
            items: vec![part(ScopeKind::Key, "abcdefghijkl"), part(ScopeKind::Tenant, "a-tenant")],
            at,
            notes: Some(Notes {
                attempt: 1,
                cache: CacheStatus::Miss,
                near: Some(Near::new("below_threshold", Some(0.8765))),
                planned: ["openai/gpt-4o", "anthropic/claude-3-5-sonnet", "meta/llama-3.1-70b"]
                    .map(str::to_owned)
                    .into(),
                spent: Spent {
                    auth: 1_234,
                    cache: 1_234,
                    lookup: Some(12_345),
                    admit: 1_234,
                    first_token: time,
                    upstream: time,
                },
                ..Notes::default()
            }),
        };
        let item = line_item(&line).expect("an item");
        let size: usize = item.iter().map(|(name, value)| name.len() + bytes(value)).sum();
        assert!(size <= UNIT, "{size} bytes");
        assert_eq!(read_line(&item), Ok(line));
    }
}
