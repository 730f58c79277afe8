//! Policies of scopes, on the control table: partition `policy`, sort key the scope.

use async_trait::async_trait;

use super::change::{self, Put};
use super::clients::Clients;
use super::expression::Expression;
use super::item::{Item, from_item, key, malformed, n, s, text, to_item};
use super::read;
use crate::domain::counter::ScopeKind;
use crate::domain::policy::{ScopeName, ScopePolicy};
use crate::domain::time::Timestamp;
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
        let found = read::item(&self.clients, &self.table, key(PARTITION, scope.to_string())).await?;
        found.as_ref().map(from_item).transpose()
    }
}

#[async_trait]
impl ManagePolicies for DynamoPolicies {
    async fn put_policy(
        &self,
        scope: &ScopeName,
        policy: &ScopePolicy,
        before: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let mut item = to_item(policy)?;
        item.extend(key(PARTITION, scope.to_string()));
        item.extend([("kind".to_owned(), s(scope.kind.to_string())), ("id".to_owned(), s(&scope.id))]);
        item.extend(scope.owner.as_ref().map(|owner| ("owner".to_owned(), s(owner))));
        let mut expression = Expression::default();
        match before {
            Some(before) => expression.compare("own.version", "=", "before", n(before.millis())),
            None => expression.absent("pk"),
        }
        match change::put(&self.clients, &self.table, item, expression).await? {
            Put::Done => Ok(true),
            // The first of two attempts may have landed, and its answer was lost.
            Put::Refused(standing) => {
                let standing = standing.as_ref().map(from_item::<ScopePolicy>).transpose()?;
                Ok(standing.as_ref() == Some(policy))
            }
        }
    }

    async fn list_policies(&self) -> Result<Vec<(ScopeName, ScopePolicy)>, StoreError> {
        let items = read::partition(&self.clients, &self.table, PARTITION).await?;
        items.iter().map(|item| Ok((read_name(item)?, from_item(item)?))).collect()
    }
}

fn read_name(item: &Item) -> Result<ScopeName, StoreError> {
    let kind = ScopeKind::named(text(item, "kind")?).ok_or_else(|| malformed("kind"))?;
    let owner = item.get("owner").and_then(|owner| owner.as_s().ok()).cloned();
    Ok(ScopeName { kind, id: text(item, "id")?.to_owned(), owner })
}
