//! Conditional writes that several adapters share.

use std::fmt::Display;

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;

use super::clients::Clients;
use super::errors::{Conditional, store_error};
use super::expression::Expression;
use super::item::{Item, n};
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

/// What became of a conditional put.
pub(super) enum Put {
    Done,
    /// The item that does not meet the condition, if there is one.
    Refused(Option<Item>),
}

/// Puts one item in the place of what is there, if that meets `condition`.
pub(super) async fn put(
    clients: &Clients,
    table: &str,
    item: Item,
    condition: Expression,
) -> Result<Put, StoreError> {
    let sent = clients
        .patient
        .put_item()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression(condition.condition())
        .set_expression_attribute_names(Some(condition.names))
        .set_expression_attribute_values(Some(condition.values).filter(|values| !values.is_empty()))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await;
    let Err(error) = sent else { return Ok(Put::Done) };
    match error.as_service_error().and_then(Conditional::refused) {
        Some(standing) => Ok(Put::Refused(standing.cloned())),
        None => Err(store_error(error)),
    }
}

/// Puts an item unless one that is greater by `measure` stands there, which is success.
pub(super) async fn put_unless_greater(
    clients: &Clients,
    table: &str,
    item: Item,
    measure: &str,
    own: impl Display,
) -> Result<(), StoreError> {
    let mut lesser = Expression::default();
    lesser.absent_or_at_most(measure, "own", n(own));
    put(clients, table, item, lesser).await.map(|_| ())
}
