//! Breakers, on the control table: partition `breaker#<target>`, sort key `state`.

use async_trait::async_trait;

use super::change::change;
use super::clients::Clients;
use super::expression::Expression;
use super::item::{Item, from_item, int, key, malformed, n, to_value};
use super::read;
use crate::domain::breaker::Breaker;
use crate::ports::{BreakerStore, StoreError, Versioned};

#[derive(Clone, Debug)]
pub struct DynamoBreakers {
    clients: Clients,
    table: String,
}

impl DynamoBreakers {
    /// `table` is the control table.
    pub fn new(clients: Clients, table: String) -> Self {
        DynamoBreakers { clients, table }
    }
}

#[async_trait]
impl BreakerStore for DynamoBreakers {
    async fn read(&self, target: &str) -> Result<Versioned, StoreError> {
        let found = read::item(&self.clients, &self.table, breaker_key(target)).await?;
        let Some(item) = &found else { return Ok(Versioned::default()) };
        let breaker = item.get("breaker").and_then(|value| value.as_m().ok());
        Ok(Versioned {
            breaker: from_item(breaker.ok_or_else(|| malformed("breaker"))?)?,
            version: u64::try_from(int(item, "ver")?).map_err(|_| malformed("ver"))?,
        })
    }

    /// A swap that is resent after it landed reports false, though it won: the other way round two
    /// instances could each believe that the one probe is theirs.
    async fn swap(&self, target: &str, version: u64, next: &Breaker) -> Result<bool, StoreError> {
        let mut expression = Expression::default();
        expression.set("breaker", "breaker", to_value(next)?);
        expression.set("ver", "next", n(version + 1));
        match version {
            0 => expression.absent("pk"),
            seen => expression.compare("ver", "=", "seen", n(seen)),
        }
        change(&self.clients, &self.table, breaker_key(target), expression).await
    }
}

fn breaker_key(target: &str) -> Item {
    key(format!("breaker#{target}"), "state")
}
