//! From the SDK's errors to the ports' two: the store said no, or it said nothing.
//!
//! Behind the client that retries, an error speaks of the last attempt only: an earlier one may
//! have landed. Its callers may all be repeated. Behind the client that sends once the distinction
//! is exact, and the hold protocol rests on it.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;

use super::connector::NeverSent;
use super::item::Item;
use crate::client::causes;
use crate::ports::StoreError;

pub(super) fn store_error<E>(error: SdkError<E>) -> StoreError
where
    E: Error + ProvideErrorMetadata + 'static,
{
    match error {
        SdkError::ConstructionFailure(_) => StoreError::Rejected(causes(&error)),
        SdkError::DispatchFailure(ref failure) => {
            let sent = failure.as_connector_error().is_none_or(|error| !never_sent(error));
            match sent || failure.is_timeout() {
                true => StoreError::NoReply(causes(&error)),
                false => StoreError::Rejected(causes(&error)),
            }
        }
        SdkError::ServiceError(ref reply) => {
            let code = reply.err().code().unwrap_or("unknown error");
            let why = format!("{code}: {}", reply.err().message().unwrap_or_default());
            match reply.raw().status().is_server_error() {
                true => StoreError::NoReply(why),
                false => StoreError::Rejected(why),
            }
        }
        // A timeout, an answer that cannot be read, and whatever the SDK adds.
        _ => StoreError::NoReply(causes(&error)),
    }
}

/// An operation that can fail by its condition.
pub(super) trait Conditional {
    /// The item as it stood, where the condition was what failed.
    fn refused(&self) -> Option<Option<&Item>>;
    /// A transaction held the item; the call may be repeated.
    fn is_conflict(&self) -> bool;
}

impl Conditional for UpdateItemError {
    fn refused(&self) -> Option<Option<&Item>> {
        match self {
            UpdateItemError::ConditionalCheckFailedException(failed) => Some(failed.item()),
            _ => None,
        }
    }

    fn is_conflict(&self) -> bool {
        self.is_transaction_conflict_exception()
    }
}

impl Conditional for PutItemError {
    fn refused(&self) -> Option<Option<&Item>> {
        match self {
            PutItemError::ConditionalCheckFailedException(failed) => Some(failed.item()),
            _ => None,
        }
    }

    fn is_conflict(&self) -> bool {
        self.is_transaction_conflict_exception()
    }
}

fn never_sent(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<NeverSent>() {
            return true;
        }
        next = error.source();
    }
    false
}
