//! The stores under test, each empty and of its own.

use std::sync::Arc;

use local::embedded::Embedded;
use shared::aws::{DynamoVectors, VECTOR_INDEX};
use shared::config::Hnsw;
use shared::vectors::{MemoryVectors, PgVectors, Reached, RedisVectors, VectorStore};

use crate::contract::stores::unique;

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

pub(super) async fn memory() -> Option<Tested> {
    Some(Tested {
        store: Arc::new(MemoryVectors::default()),
        bare: Arc::new(MemoryVectors::default()),
        index: "memory".to_owned(),
        has_index: false,
        sweeps: true,
        recall: 1.0,
    })
}

/// None where `TOLLGATE_REDIS` names no server.
pub(super) async fn server_redis() -> Option<Tested> {
    let made = |reached: &Reached| Arc::new(RedisVectors::new(reached).expect("a store")) as _;
    server("TOLLGATE_REDIS", made)
}

/// None where `TOLLGATE_PGVECTOR` names no server.
pub(super) async fn server_pgvector() -> Option<Tested> {
    let made = |reached: &Reached| Arc::new(PgVectors::new(reached).expect("a store")) as _;
    server("TOLLGATE_PGVECTOR", made)
}

fn server(variable: &str, made: impl Fn(&Reached) -> Arc<dyn VectorStore>) -> Option<Tested> {
    let Ok(url) = std::env::var(variable) else {
        println!("not run: {variable} names no server; tests/tools/vector_servers.py starts one");
        return None;
    };
    let reached = |name: &str| Reached {
        url: url.parse().expect("the URL of a store"),
        secret: None,
        name: unique(name).replace('-', "_"),
        authorities: Vec::new(),
        hnsw: Hnsw::default(),
    };
    let bare = reached("bare");
    Some(Tested {
        store: made(&reached("kept")),
        bare: made(&bare),
        index: bare.name,
        has_index: false,
        sweeps: true,
        recall: 0.95,
    })
}
