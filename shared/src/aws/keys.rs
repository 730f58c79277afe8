//! Keys, on the control table: partition `key`, sort key the key's id.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use serde::Serialize;

use super::change::change;
use super::clients::Clients;
use super::errors::{Conditional, store_error};
use super::expression::Expression;
use super::item::{from_item, key, n, s, to_item, to_value};
use super::read;
use crate::domain::key::{KeyDetails, KeyRecord};
use crate::domain::policy::Policy;
use crate::domain::time::Timestamp;
use crate::ports::{FindKey, ListKeys, ManageKeys, StoreError};

const PARTITION: &str = "key";

#[derive(Clone, Debug)]
pub struct DynamoKeys {
    clients: Clients,
    table: String,
}

impl DynamoKeys {
    /// `table` is the control table.
    pub fn new(clients: Clients, table: String) -> Self {
        DynamoKeys { clients, table }
    }

    /// False when the key does not meet the condition.
    async fn change(&self, id: &str, expression: Expression) -> Result<bool, StoreError> {
        change(&self.clients, &self.table, key(PARTITION, id), expression).await
    }
}

#[async_trait]
impl FindKey for DynamoKeys {
    /// Strongly consistent: a key just made works at once.
    async fn find(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        let found = read::item(&self.clients, &self.table, key(PARTITION, id)).await?;
        found.as_ref().map(from_item).transpose()
    }
}

#[async_trait]
impl ListKeys for DynamoKeys {
    async fn list(&self) -> Result<Vec<KeyRecord>, StoreError> {
        let items = read::partition(&self.clients, &self.table, PARTITION).await?;
        items.iter().map(from_item).collect()
    }
}

#[async_trait]
impl ManageKeys for DynamoKeys {
    async fn create(&self, record: &KeyRecord) -> Result<(), StoreError> {
        let mut item = to_item(record)?;
        item.extend(key(PARTITION, &record.id));
        let put = self
            .clients
            .patient
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = put else { return Ok(()) };
        let standing = error.as_service_error().and_then(Conditional::refused);
        match standing.flatten().map(from_item::<KeyRecord>) {
            // The first of two attempts landed, and its answer was lost.
            Some(Ok(standing)) if standing == *record => Ok(()),
            Some(_) => Err(StoreError::Rejected(format!("key {} exists", record.id))),
            None => Err(store_error(error)),
        }
    }

    async fn set_policy(&self, id: &str, policy: &Policy, before: Timestamp) -> Result<bool, StoreError> {
        let mut expression = Expression::default();
        expression.set("policy", "policy", to_value(policy)?);
        expression.exists("pk");
        expression.compare("policy.version", "=", "before", n(before.millis()));
        // The first of two attempts may have landed, and its answer was lost.
        Ok(self.change(id, expression).await?
            || self.find(id).await?.is_some_and(|standing| standing.policy == *policy))
    }

    async fn set_details(
        &self,
        id: &str,
        details: &KeyDetails,
        before: &KeyDetails,
    ) -> Result<bool, StoreError> {
        let mut expression = Expression::default();
        expression.set("name", "name", s(&details.name));
        expression.compare("name", "=", "nameBefore", s(&before.name));
        let KeyDetails { team, models, .. } = before;
        replace(&mut expression, "team", details.team.as_ref(), team.as_ref())?;
        replace(&mut expression, "models", details.models.as_ref(), models.as_ref())?;
        // The first of two attempts may have landed, and its answer was lost.
        Ok(self.change(id, expression).await?
            || self.find(id).await?.is_some_and(|standing| standing.details() == *details))
    }

    async fn revoke(&self, id: &str, at: Timestamp) -> Result<bool, StoreError> {
        let mut expression = Expression::default();
        expression.set_once("revokedAt", "at", n(at.millis()));
        expression.exists("pk");
        self.change(id, expression).await
    }
}

/// Sets or removes an attribute whose value before must still stand there.
fn replace<T: Serialize>(
    expression: &mut Expression,
    name: &str,
    next: Option<&T>,
    before: Option<&T>,
) -> Result<(), StoreError> {
    match next {
        Some(next) => expression.set(name, name, to_value(next)?),
        None => expression.remove(name),
    }
    match before {
        Some(before) => expression.compare(name, "=", &format!("{name}Before"), to_value(before)?),
        None => expression.absent(name),
    }
    Ok(())
}
