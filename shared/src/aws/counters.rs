//! Counters, on the budgets table. One plain conditional write each, no transaction: optimistic
//! transactions that share an item cancel each other.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::change;
use super::clients::Clients;
use super::conflict;
use super::counter_item::{counter_key, read_counter};
use super::counter_writes::{self, Terms};
use super::errors::{Conditional, store_error};
use super::expression::Expression;
use super::read;
use crate::domain::counter::{Allowance, Close, Counter, CounterKey, Reserve};
use crate::domain::id::AttemptId;
use crate::domain::time::Timestamp;
use crate::ports::{Counters, NoteRefusal, ReserveReply, StoreError};

/// Holds whose terms are remembered; more are read back when they close.
const ENTERED_MAX: usize = 4096;

#[derive(Debug)]
pub struct DynamoCounters {
    clients: Clients,
    table: String,
    /// The terms of holds that this instance entered. A hold never changes, so a remembered one
    /// spares its close the read.
    entered: Mutex<HashMap<(AttemptId, CounterKey), Terms>>,
}

/// What became of one try to reserve.
enum Entering {
    Done(Box<ReserveReply>),
    Conflict(StoreError),
}

/// What became of one try to close.
enum Closing {
    Done,
    /// The hold is live on these terms.
    Other(Terms),
    Conflict(StoreError),
}

impl DynamoCounters {
    /// `table` is the budgets table.
    pub fn new(clients: Clients, table: String) -> Self {
        DynamoCounters { clients, table, entered: Mutex::default() }
    }

    async fn try_close(&self, write: &Close, terms: &Terms) -> Result<Closing, StoreError> {
        let update = self.clients.patient.update_item().table_name(&self.table);
        let expression = counter_writes::close(write, terms);
        let sent = fill(update, &write.key, expression).send().await;
        let Err(error) = sent else { return Ok(Closing::Done) };
        match error.as_service_error().map(|error| (error.refused(), error.is_conflict())) {
            Some((Some(standing), _)) => {
                let counter = standing.map(read_counter).transpose()?;
                Ok(terms_of(counter.as_ref(), write.id).map_or(Closing::Done, Closing::Other))
            }
            Some((None, true)) => Ok(Closing::Conflict(store_error(error))),
            _ => Err(store_error(error)),
        }
    }

    async fn try_reserve(&self, write: &Reserve) -> Result<Entering, StoreError> {
        let update = self.clients.once.update_item().table_name(&self.table);
        let update = fill(update, &write.key, counter_writes::reserve(write));
        let error = match update.return_values(ReturnValue::AllNew).send().await {
            Ok(done) => {
                self.remember(write);
                let counter = done.attributes().map(read_counter).transpose();
                // It landed; whoever cannot read the answer must look for it.
                let counter = counter.map_err(|error| StoreError::NoReply(error.to_string()))?;
                let counter = counter.ok_or_else(|| StoreError::NoReply("no attributes".to_owned()))?;
                return Ok(Entering::Done(Box::new(ReserveReply::Held(counter))));
            }
            Err(error) => error,
        };
        match error.as_service_error().map(|error| (error.refused(), error.is_conflict())) {
            Some((Some(standing), _)) => {
                let old = standing.map(read_counter).transpose()?;
                Ok(Entering::Done(Box::new(ReserveReply::Refused(old))))
            }
            Some((None, true)) => Ok(Entering::Conflict(store_error(error))),
            _ => Err(store_error(error)),
        }
    }

    fn remember(&self, write: &Reserve) {
        let Some(hold) = &write.hold else { return };
        let mut entered = self.entered.lock().unwrap_or_else(PoisonError::into_inner);
        if entered.len() >= ENTERED_MAX {
            entered.clear();
        }
        entered.insert((write.id, write.key.clone()), Terms::of(hold, write.window));
    }

    fn recall(&self, write: &Close) -> Option<Terms> {
        let mut entered = self.entered.lock().unwrap_or_else(PoisonError::into_inner);
        entered.remove(&(write.id, write.key.clone()))
    }
}

#[async_trait]
impl Counters for DynamoCounters {
    async fn reserve(&self, write: &Reserve) -> Result<ReserveReply, StoreError> {
        if counter_writes::never_fits(write) {
            return Ok(ReserveReply::Refused(self.read(&write.key).await?));
        }
        let mut last = StoreError::Rejected("the counter was in a transaction all the time".to_owned());
        for attempt in 0..conflict::TRIES {
            match self.try_reserve(write).await? {
                Entering::Done(reply) => return Ok(*reply),
                // The store has said that this copy was not applied, so another is no second one.
                Entering::Conflict(error) => last = error,
            }
            conflict::back_off(attempt).await;
        }
        Err(last)
    }

    async fn allow(&self, key: &CounterKey, to: &Allowance) -> Result<(), StoreError> {
        let mut last = StoreError::Rejected("the counter kept changing".to_owned());
        for attempt in 0..conflict::TRIES {
            let standing = self.read(key).await?;
            let Some(expression) = counter_writes::allow(standing.as_ref(), to) else { return Ok(()) };
            let update = self.clients.patient.update_item().table_name(&self.table);
            let Err(error) = fill(update, key, expression).send().await else { return Ok(()) };
            match error.as_service_error().map(|error| (error.refused().is_some(), error.is_conflict())) {
                // Somebody else changed the policy, or made the item, since it was read.
                Some((true, _)) => {}
                Some((false, true)) => last = store_error(error),
                _ => return Err(store_error(error)),
            }
            conflict::back_off(attempt).await;
        }
        Err(last)
    }

    async fn read(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError> {
        let found = read::item(&self.clients, &self.table, counter_key(key)).await?;
        found.as_ref().map(read_counter).transpose()
    }

    async fn close(&self, write: &Close) -> Result<(), StoreError> {
        let mut terms = self.recall(write);
        let mut last = StoreError::Rejected("the counter kept changing".to_owned());
        for attempt in 0..conflict::TRIES {
            let known = match terms {
                Some(known) => known,
                None => match terms_of(self.read(&write.key).await?.as_ref(), write.id) {
                    Some(read) => read,
                    None => return Ok(()),
                },
            };
            terms = Some(known);
            match self.try_close(write, &known).await? {
                Closing::Done => return Ok(()),
                Closing::Other(actual) => terms = Some(actual),
                Closing::Conflict(error) => {
                    last = error;
                    conflict::back_off(attempt).await;
                }
            }
        }
        Err(last)
    }

    async fn fence(&self, key: &CounterKey, id: AttemptId) -> Result<bool, StoreError> {
        let mut last = StoreError::Rejected("the counter was in a transaction all the time".to_owned());
        for attempt in 0..conflict::TRIES {
            let update = self.clients.patient.update_item().table_name(&self.table);
            let Err(error) = fill(update, key, counter_writes::fence(id)).send().await else {
                return Ok(true);
            };
            match error.as_service_error().map(|error| (error.refused(), error.is_conflict())) {
                Some((Some(standing), _)) => {
                    let counter = standing.map(read_counter).transpose()?;
                    return Ok(terms_of(counter.as_ref(), id).is_none());
                }
                Some((None, true)) => last = store_error(error),
                _ => return Err(store_error(error)),
            }
            conflict::back_off(attempt).await;
        }
        Err(last)
    }
}

#[async_trait]
impl NoteRefusal for DynamoCounters {
    async fn note_refusal(&self, key: &CounterKey, at: Timestamp) -> Result<(), StoreError> {
        let expression = counter_writes::note_refusal(at);
        change::change(&self.clients, &self.table, counter_key(key), expression).await.map(|_| ())
    }
}

fn terms_of(counter: Option<&Counter>, id: AttemptId) -> Option<Terms> {
    let counter = counter?;
    counter.live.get(&id).map(|hold| Terms::of(hold, counter.window))
}

fn fill(
    update: UpdateItemFluentBuilder,
    key: &CounterKey,
    expression: Expression,
) -> UpdateItemFluentBuilder {
    update
        .set_key(Some(counter_key(key)))
        .update_expression(expression.update())
        .condition_expression(expression.condition())
        .set_expression_attribute_names(Some(expression.names))
        .set_expression_attribute_values(Some(expression.values))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
}
