//! Policies of scopes, on the control table: partition `policy`, sort key the scope.

use async_trait::async_trait;

use super::clients::Clients;
use super::errors::store_error;
use super::item::{Item, from_item, key, malformed, s, text, to_item};
use crate::domain::counter::ScopeKind;
use crate::domain::policy::{ScopeName, ScopePolicy};
use crate::ports::{FindPolicy, ManagePolicies, StoreError};

const PARTITION: &str = "policy";

#[derive(Clone, Debug)]
pub struct DynamoPolicies {
    clients: Clients,
    table: String,
}

impl DynamoPolicies {
    /// `table` is the control table.
    pub fn new(clients: Clients, table: String) -> Self {
        DynamoPolicies { clients, table }
    }
}

#[async_trait]
impl FindPolicy for DynamoPolicies {
    async fn find_policy(&self, scope: &ScopeName) -> Result<Option<ScopePolicy>, StoreError> {
        let found = self
            .clients
            .patient
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(PARTITION, scope.to_string())))
            .consistent_read(true)
            .send()
            .await
            .map_err(store_error)?;
        found.item().map(from_item).transpose()
    }
}

#[async_trait]
impl ManagePolicies for DynamoPolicies {
    async fn put_policy(&self, scope: &ScopeName, policy: &ScopePolicy) -> Result<(), StoreError> {
        let mut item = to_item(policy)?;
        item.extend(key(PARTITION, scope.to_string()));
        item.extend([("kind".to_owned(), s(scope.kind.to_string())), ("id".to_owned(), s(&scope.id))]);
        item.extend(scope.owner.as_ref().map(|owner| ("owner".to_owned(), s(owner))));
        let put = self.clients.patient.put_item().table_name(&self.table).set_item(Some(item)).send();
        put.await.map(|_| ()).map_err(store_error)
    }

    async fn list_policies(&self) -> Result<Vec<(ScopeName, ScopePolicy)>, StoreError> {
        let mut pages = self
            .clients
            .patient
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", s(PARTITION))
            .consistent_read(true)
            .into_paginator()
            .send();
        let mut policies = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(store_error)?.items() {
                policies.push((read_name(item)?, from_item(item)?));
            }
        }
        Ok(policies)
    }
}

fn read_name(item: &Item) -> Result<ScopeName, StoreError> {
    let kind = ScopeKind::named(text(item, "kind")?).ok_or_else(|| malformed("kind"))?;
    let owner = item.get("owner").and_then(|owner| owner.as_s().ok()).cloned();
    Ok(ScopeName { kind, id: text(item, "id")?.to_owned(), owner })
}
