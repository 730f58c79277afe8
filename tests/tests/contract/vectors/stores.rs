//! The stores under test, each empty and of its own.

use std::sync::Arc;

use local::embedded::Embedded;
use shared::aws::{DynamoVectors, VECTOR_INDEX};
use shared::vectors::VectorStore;

/// A store, and what it promises beyond the port.
pub(super) struct Tested {
    pub(super) store: Arc<dyn VectorStore>,
    /// A store of the same kind whose index nobody made, and what its errors call that index.
    pub(super) bare: Arc<dyn VectorStore>,
    pub(super) index: String,
    /// Whether the index comes with the store, so that set-up finds it there.
    pub(super) has_index: bool,
    /// Whether a sweep removes at once what has expired.
    pub(super) sweeps: bool,
    /// Share of the true nearest that a search finds at least.
    pub(super) recall: f64,
}

pub(super) async fn embedded() -> Option<Tested> {
    let embedded = Embedded::open(None).await.expect("a database in memory");
    let tables = Embedded::tables();
    Some(Tested {
        store: Arc::new(DynamoVectors::new(embedded.clients(), tables.cache)),
        bare: Arc::new(DynamoVectors::new(embedded.clients(), tables.control)),
        index: VECTOR_INDEX.to_owned(),
        has_index: true,
        sweeps: false,
        recall: 1.0,
    })
}
