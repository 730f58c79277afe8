//! What cannot be done while a store fails, on the routes that spend nothing.

use super::error::GatewayError;
use crate::ports::StoreError;

/// What failed with its store. Where budgets could not be checked, it is
/// [`GatewayError::StoreDown`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// Whose key it is, or which keys there are.
    Keys,
    /// A look for what the cache has.
    CacheRead,
    /// A search for near questions.
    NearSearch,
    /// The embedding of texts that are compared.
    Embedding,
    /// A mark that makes answers stale.
    Invalidation,
    CacheStatistics,
    /// Some of the entries may be stored.
    Seeding,
    VectorIndex,
}

impl Unavailable {
    pub fn because(self, error: StoreError) -> GatewayError {
        GatewayError::Unavailable { what: self, error }
    }

    /// What the caller is told.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Unavailable::Keys => "Keys cannot be read right now, so nothing was done. Try again.",
            Unavailable::CacheRead => "The cache cannot be read right now. Try again.",
            Unavailable::NearSearch => "Near questions cannot be searched right now. Try again.",
            Unavailable::Embedding => "The texts cannot be embedded right now. Try again.",
            Unavailable::Invalidation => {
                "The invalidation may not hold: its store did not confirm it. Send it again."
            }
            Unavailable::CacheStatistics => "The cache's statistics cannot be read right now. Try again.",
            Unavailable::Seeding => "Not all entries could be stored, some may be. Send all of them again.",
            Unavailable::VectorIndex => "The index of vectors cannot be set up right now. Try again.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::dialect::Dialect;

    #[test]
    fn a_store_that_fails_is_told_as_what_it_was_needed_for_and_may_be_tried_again() {
        let failed = Unavailable::CacheRead.because(StoreError::NoReply("no route to 10.0.0.7".to_owned()));
        let report = failed.report(Dialect::OpenAi);
        assert_eq!((report.status, report.code, report.retry_after), (503, "store_unavailable", Some(1)));
        assert_eq!(report.message, "The cache cannot be read right now. Try again.");
        let internal = failed.internal_message().expect("the log is told more");
        assert!(internal.contains("10.0.0.7"), "{internal}");
    }
}
