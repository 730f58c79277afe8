//! A conditional update that several adapters share.

use super::clients::Clients;
use super::errors::{Conditional, store_error};
use super::expression::Expression;
use super::item::Item;
use crate::ports::StoreError;

/// Changes one item. False where it does not meet the condition.
pub(super) async fn change(
    clients: &Clients,
    table: &str,
    key: Item,
    expression: Expression,
) -> Result<bool, StoreError> {
    let update = clients
        .patient
        .update_item()
        .table_name(table)
        .set_key(Some(key))
        .update_expression(expression.update())
        .condition_expression(expression.condition())
        .set_expression_attribute_names(Some(expression.names))
        .set_expression_attribute_values(Some(expression.values))
        .send()
        .await;
    match update {
        Ok(_) => Ok(true),
        Err(error) => match error.as_service_error().and_then(Conditional::refused) {
            Some(_) => Ok(false),
            None => Err(store_error(error)),
        },
    }
}
